/** The id of a stream event: the cursor behind it, in characters that a header may hold. `posts@0~0.12,1.7` */
import type { Cursor } from '../../infra/store/tail.ts'

export interface StreamPosition {
  readonly logTopic: string
  readonly cursor: Cursor
}

const pattern = /^([\w.@-]{1,200})~((?:\d{1,9}\.\d{1,15}(?:,|$))*)$/

export function encodeEventId(logTopic: string, cursor: Cursor): string {
  const offsets = Object.entries(cursor).map(([partition, offset]) => `${partition}.${offset}`)
  return `${logTopic}~${offsets.join(',')}`
}

/** `undefined` for anything that `encodeEventId` did not write: the reader then begins anew. */
export function decodeEventId(text: string): StreamPosition | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, logTopic = '', offsets = ''] = match
  const cursor: Record<number, number> = {}
  for (const part of offsets.split(',').filter((item) => item !== '')) {
    const [partition = 0, offset = 0] = part.split('.').map(Number)
    cursor[partition] = offset
  }
  return { logTopic, cursor }
}
