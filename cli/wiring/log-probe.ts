/** Asks the cluster now and then, so that health tells of brokers that are away while nothing else needs them, and of their return. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Log, topics } from '../../infra/log/log.ts'

const probeMs = 2_000

/** `onHealth` hears why the log does not answer; undefined when it does again. */
export function probeLog(options: {
  readonly log: Pick<Log, 'endOffsets'>
  readonly everyMs?: number
  onHealth(error: unknown): void
}): { stop(): Promise<void> } {
  const { log, everyMs = probeMs, onHealth } = options
  const stopping = new AbortController()
  const { signal } = stopping

  async function probe(): Promise<void> {
    try {
      await log.endOffsets(topics.control)
      onHealth(undefined)
    } catch (error) {
      onHealth(error)
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) await probe()
    }
  }

  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}
