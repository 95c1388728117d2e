/** Consecutive runs of at most `most.count` items and `most.size` in all, in order; an item that is larger than that stands alone. */
export function* chunksWithin<T>(
  items: Iterable<T>,
  most: { readonly count: number; readonly size: number },
  sizeOf: (item: T) => number,
): Generator<readonly T[]> {
  let chunk: T[] = []
  let total = 0
  for (const item of items) {
    const size = sizeOf(item)
    const isFull = chunk.length === most.count || total + size > most.size
    if (chunk.length > 0 && isFull) {
      yield chunk
      chunk = []
      total = 0
    }
    chunk.push(item)
    total += size
  }
  if (chunk.length > 0) yield chunk
}
