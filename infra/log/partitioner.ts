/** Which partition a record goes to. */
import { createHash } from 'node:crypto'

/**
 * The partition of a key: the first four bytes of the SHA-256 of its UTF-8 form, big-endian, modulo the number of partitions.
 * Fixed for ever: the same id must meet its earlier versions after every upgrade.
 */
export function partitionOfKey(key: string, partitions: number): number {
  if (partitions === 1) return 0
  return createHash('sha256').update(key).digest().readUInt32BE(0) % partitions
}

/** Keys by their hash; records without one in turn. */
export function createPartitioner(): (key: string | null, partitions: number) => number {
  let turn = 0
  return (key, partitions) => (key === null ? turn++ % partitions : partitionOfKey(key, partitions))
}
