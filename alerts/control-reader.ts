/** `control` in memory: it has few records, one partition and unlimited retention. */
import { type Follower, type Log, topics } from '../infra/log/log.ts'
import { type AlertControl, parseControl } from './control.ts'

export interface ControlRecord {
  readonly offset: number
  /** `undefined` for a record that alerts do not act on, and a change of experts that is void because another came first. */
  readonly record: AlertControl | undefined
}

export interface ControlReader {
  /** All records at or behind `offset` that the log held when asked. */
  read(offset: number): Promise<readonly ControlRecord[]>
  stop(): Promise<void>
}

export function createControlReader(log: Pick<Log, 'follow' | 'endOffsets'>): ControlReader {
  const records: ControlRecord[] = []
  /** Offset of the change of experts in force. */
  let serving = -1
  let next = 0
  let wake: () => void = () => {}
  let follower: Promise<Follower> | undefined

  function inForce(offset: number, record: AlertControl | undefined): AlertControl | undefined {
    if (record?.type !== 'serving') return record
    if (record.after !== serving) return undefined
    serving = offset
    return record
  }

  const follow = (): Promise<Follower> =>
    log.follow(topics.control, [0], async (batch) => {
      for (const { offset, value } of batch.records)
        records.push({ offset, record: inForce(offset, parseControl(value)) })
      next = batch.next
      wake()
    })

  return {
    async read(offset) {
      follower ??= follow()
      await follower
      const [end = 0] = await log.endOffsets(topics.control)
      while (next < end) await new Promise<void>((resolve) => (wake = resolve))
      return records.filter((record) => record.offset >= offset)
    },
    async stop() {
      await (await follower)?.stop()
      follower = undefined
      next = Number.POSITIVE_INFINITY
      wake()
    },
  }
}
