/** The name of a set of experts, whatever their order: what calibration and stacking look their parameters up by. */
export function expertSet(experts: readonly string[]): string {
  return [...experts].sort().join('+')
}
