/** One thing that was decided while a checkpoint was opened, and why. */
export interface Evidence {
  /** The component it is about; `''` for the whole. */
  readonly component: string;
  /** What was decided: `weights`, `class`, `prediction`, `scale of latents`. */
  readonly what: string;
  readonly value: string;
  /** The file and key, the shapes, or the rule that it is decided from; `asked for` for what an option overrides. */
  readonly from: string;
}
