/** Random choices about a record that a replay makes again: a hash of its position decides. */
import { createHash } from 'node:crypto'

export interface DrawPosition {
  readonly logTopic: string
  readonly partition: number
  readonly offset: number
}

/** Uniform over [0, 1), independent between purposes and positions. */
export function draw(purpose: string, { logTopic, partition, offset }: DrawPosition): number {
  const digest = createHash('sha256')
    .update(`${purpose}/${logTopic}/${partition}/${offset}`)
    .digest()
  return digest.readUIntBE(0, 6) / 2 ** 48
}
