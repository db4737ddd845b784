import { checkNumber, concat, UserError } from '@langevin/tensor';
import { defineNetwork, type Network, type NetworkArguments } from '@langevin/core';

/**
 * A network whose last channels are no part of the sample but a picture that it is told, as a condition: what is denoised has the channels
 * that come out. Inpainting of Stable Diffusion takes 9 channels and gives 4: the mask and the masked latents are 5 of them; upscalers
 * take the small picture, InstructPix2Pix the one to be edited. Only the sample is scaled by the noise level, not what is joined to it.
 *
 * @param options `channels`: how many are joined; `name`: of the condition. @default 'joined'
 * @throws UserError when the network has not so many channels, or has a condition of the name; at `apply` when the sides differ
 * @example
 * const nine = unet2d({ inChannels: 9, outChannels: 4, blockOutChannels: [32], downBlockTypes: ['DownBlock2D'], upBlockTypes:
 * ['UpBlock2D'] }); const net = joinedChannels(nine, { channels: 5 });
 * net.info.channels; // => 4
 * const y = net.apply(net.init(torchGenerator(0)), zeros([1, 4, 8, 8]), scalar(1), { conditions: { joined: zeros([1, 5, 8, 8]) } });
 * y.shape; // => [1, 4, 8, 8]
 */
export function joinedChannels<P>(network: Network<P>, options: { readonly channels: number; readonly name?: string }): Network<P> {
  const { channels: joined, name = 'joined' } = options;
  const { info } = network;
  checkNumber('backbones/joinedChannels', { channels: joined }, { atLeast: 1, atMost: info.channels - 1, kind: 'integer' });
  if (Object.hasOwn(info.conditions, name))
    throw new UserError(`[backbones/joinedChannels] network has a condition of this name: name=${name}. Choose another.`);
  const channels = info.channels - joined;
  return defineNetwork({
    info: {
      ...info,
      channels,
      outputs: info.outChannels === 2 * channels ? ['prediction', 'variance'] : ['prediction'],
      conditions: { ...info.conditions, [name]: { kind: 'picture', channels: joined } },
    },
    init: network.init,
    apply(params, ...[x, time, inputs = {}]: NetworkArguments) {
      const { [name]: picture, ...conditions } = inputs.conditions ?? {};
      const fits = picture !== undefined && picture.shape[1] === joined && [0, 2, 3].every((axis) => picture.shape[axis] === x.shape[axis]);
      if (!fits || x.shape[1] !== channels) {
        throw new UserError(
          `[backbones/joinedChannels] sample and what is joined to it do not fit: x=[${x.shape.join(', ')}], ${name}=`
            + `${picture === undefined ? 'nothing' : `[${picture.shape.join(', ')}]`}. Give [N, ${channels}, H, W] and `
            + `[N, ${joined}, H, W].`,
        );
      }
      return network.apply(params, concat([x, picture], 1), time, { ...inputs, conditions });
    },
  });
}
