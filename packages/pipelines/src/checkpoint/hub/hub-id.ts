import { shownValue, UserError } from '@langevin/tensor';

/** A repository of models on a hub, and one of its revisions. */
export interface HubId {
  readonly owner: string;
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

const PART = /^[A-Za-z0-9](?:[\w.-]{0,94}[\w-])?$/u;
/** Letters of the names of branches and tags; `refs/pr/1` has slashes. */
const REVISION_PART = /^[\w][\w.+-]{0,127}$/u;
const COMMIT = /^[0-9a-f]{40}$/u;

/**
 * `owner/name` or `owner/name@revision`; undefined for what is written otherwise. What it becomes in paths and addresses stays one folder.
 *
 * @example
 * parseHubId('CompVis/stable-diffusion-v1-4@fp16'); // => { owner: 'CompVis', name: 'stable-diffusion-v1-4', revision: 'fp16' }
 * parseHubId('models/../secret'); // => undefined
 */
export function parseHubId(text: string): HubId | undefined {
  const [id, ...rest] = text.split('@');
  const parts = id!.split('/');
  const [owner, name] = parts as [string, string];
  // The hub forbids two hyphens in a row, which the folders of its cache use between owner and name.
  const wellFormed = parts.length === 2 && parts.every((part) => PART.test(part) && !part.includes('--') && !part.includes('..'));
  if (!wellFormed || name.endsWith('.git') || rest.length > 1) return undefined;
  const revision = rest[0] ?? 'main';
  return isRevision(revision) ? Object.freeze({ owner, name, revision }) : undefined;
}

/** @throws UserError for a revision that cannot be one */
export function checkRevision(revision: unknown): string {
  if (typeof revision === 'string' && isRevision(revision)) return revision;
  throw new UserError(
    `[pipelines/hub] revision is not valid: revision=${shownValue(revision)}. Give the name of a branch or a tag, or a `
      + 'commit of 40 digits.',
  );
}

export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

function isRevision(revision: string): boolean {
  return revision.length <= 200 && revision.split('/').every((part) => REVISION_PART.test(part) && !part.includes('..'));
}
