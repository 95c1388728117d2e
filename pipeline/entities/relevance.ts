/**
 * How much a post is about one of the instruments it names, 0..1.
 *
 * 1 for the only instrument and for one named in the title. Otherwise an even share, 2 / (n + 1) of n instruments
 * (two: 0.67, three: 0.5, a list of fifteen: 0.13), and the first named stands halfway between its share and 1: texts
 * begin with what they are about.
 */
export function relevanceOf(
  mention: { readonly inTitle: boolean; readonly position: number },
  n: number,
): number {
  if (mention.inTitle || n === 1) return 1
  const share = 2 / (n + 1)
  return mention.position === 0 ? (1 + share) / 2 : share
}
