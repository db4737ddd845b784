/**
 * After a change of the number of Gaussians, and more so after a reset of opacities, training needs steps to recover. So a strategy
 * ends its changes well before the end of a run, whatever its options say: nothing changes in the last sixth, as with the 25,000 of 30,000
 * steps of Kheradmand et al. 2024, and nothing is reset in the second half, as with the 15,000 of 30,000 of Kerbl et al. 2023.
 */
const SETTLING = 5 / 6;

/**
 * The step at which changes end.
 *
 * @param window.stop the option of the strategy. @default the share of the run, and the paper's number at most
 * @param plannedSteps of the run
 */
export function lastChange(
  window: { readonly stop: number | undefined; readonly share: number; readonly paper: number },
  plannedSteps: number,
): number {
  const { stop = Math.min(window.paper, Math.floor(window.share * plannedSteps)) } = window;
  return Math.min(stop, Math.floor(SETTLING * plannedSteps));
}

/** Whether opacities may still be reset. */
export function leavesTimeToRecover(step: number, plannedSteps: number): boolean {
  return step <= plannedSteps / 2;
}
