import { UserError } from '@langevin/tensor';
import type { HubId } from './hub-id.ts';

/**
 * What a hub's refusal means and what to do; undefined for a status that says nothing of the model.
 *
 * @param code the header `X-Error-Code`
 */
export function refusalOf(
  { status, code, token }: { readonly status: number; readonly code: string | undefined; readonly token: string | undefined },
  { id: { owner, name, revision }, endpoint, path }: { readonly id: HubId; readonly endpoint: string; readonly path?: string },
): UserError | undefined {
  const model = `${owner}/${name}`;
  const fail = (text: string): UserError => new UserError(`[pipelines/hub] ${text}`);
  if (code === 'GatedRepo' || status === 403)
    return fail(
      `model is gated: id=${model}, status=${status}, token=${token === undefined ? 'none' : 'sent'}. Accept its licence at `
        + `${endpoint}/${model}, then set HF_TOKEN to a token of that account.`,
    );
  if (code === 'RevisionNotFound')
    return fail(`model has no such revision: id=${model}, revision=${revision}. ${endpoint}/${model} lists branches and tags.`);
  if (code === 'EntryNotFound' && path !== undefined)
    return fail(`file is not there any more: id=${model}, revision=${revision}, path=${path}. Open the model again.`);
  if (status === 401)
    return fail(
      token === undefined
        ? `model does not exist, or is private: id=${model}, endpoint=${endpoint}. Check the id; for a private one set HF_TOKEN.`
        : `token is not accepted, or the model does not exist: id=${model}, endpoint=${endpoint}. Check the id and HF_TOKEN.`,
    );
  if (status === 404 || code === 'RepoNotFound')
    return fail(`model does not exist: id=${model}, endpoint=${endpoint}, status=${status}. Check the id.`);
  return undefined;
}
