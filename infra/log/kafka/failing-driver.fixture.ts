/** A real client with members that fail in ways that a real one rarely shows. */
import type { JoinOptions, KafkaDriver, Member } from './driver.ts'

/** What `member` (from 0) of those that join hears instead of what the client tells it. */
export type Tampering = (member: number, handlers: JoinOptions) => JoinOptions

/** The driver, with every join's handlers passed through `tamper`. */
export function tamperedDriver(driver: KafkaDriver, tamper: Tampering): KafkaDriver {
  let joined = 0 // an attempt that a coordinator refused counts for nothing
  const join = async (options: JoinOptions): Promise<Member> => {
    const member = await driver.join(tamper(joined, options))
    joined += 1
    return member
  }
  return new Proxy(driver, {
    get(target, key) {
      if (key === 'join') return join
      const value: unknown = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** The first member gets nothing from its assignment number `from` on (the first is 0), and the client believes that it does. */
export function swallowsFrom(from: number, partition?: number): Tampering {
  return (member, handlers) => {
    if (member > 0) return handlers
    let assignments = 0
    return {
      ...handlers,
      onAssigned(partitions) {
        assignments += 1
        handlers.onAssigned(partitions)
      },
      onBatch(batch) {
        const swallowed = partition === undefined || batch.partition === partition
        return (assignments > from && swallowed) || handlers.onBatch(batch)
      },
    }
  }
}

/** The first member is never told what it was assigned. */
export const isNeverAssigned: Tampering = (member, handlers) =>
  member > 0 ? handlers : { ...handlers, onAssigned: () => undefined }
