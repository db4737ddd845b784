import { UserError } from '@langevin/tensor';

const MAX_COMMENT_LENGTH = 1000;
const MAX_COMMENTS = 100;

/** Comments that a header can hold. @throws {UserError} when one has a line break, or there are too many */
export function cleanComments(comments: readonly string[]): string[] {
  if (comments.length > MAX_COMMENTS)
    throw new UserError(`[io/splats] too many comments: count=${comments.length}, limit=${MAX_COMMENTS}. Write fewer.`);
  return comments.map((comment) => {
    // A line break would end the comment and begin a line of the header.
    if (typeof comment !== 'string' || /[\p{Cc}\p{Surrogate}\u2028\u2029]/u.test(comment))
      throw new UserError(
        `[io/splats] comment=${JSON.stringify(comment)} is not one line of text. Remove line breaks and control characters.`,
      );
    if (comment.length > MAX_COMMENT_LENGTH)
      throw new UserError(`[io/splats] a comment is too long: length=${comment.length}, limit=${MAX_COMMENT_LENGTH}. Shorten it.`);
    return comment.trim();
  });
}
