import { UserError } from '@langevin/tensor';

/** What entries of {@link encoder} and {@link decoder} demand of each other. @throws UserError naming the ones that disagree */
export function checkLevels(
  {
    downBlockTypes: down,
    upBlockTypes: up,
    blockOutChannels: sizes,
    normNumGroups: groups,
  }: {
    readonly downBlockTypes: readonly string[];
    readonly upBlockTypes: readonly string[];
    readonly blockOutChannels: readonly number[];
    readonly normNumGroups: number;
  },
  where: string,
): void {
  if (down.length !== sizes.length || up.length !== sizes.length)
    throw new UserError(
      `[${where}] levels disagree: down_block_types=${down.length}, up_block_types=${up.length}, block_out_channels=${sizes.length} `
        + 'entries. Give each one entry for each level.',
    );
  const ragged = sizes.find((size) => size % groups !== 0);
  if (ragged !== undefined)
    throw new UserError(
      `[${where}] groups do not divide the channels: norm_num_groups=${groups}, block_out_channels has ${ragged}. Choose sizes `
        + 'that divide.',
    );
}
