/** The role `alerts`: detection, states, sending, and its routes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Registry } from 'prom-client'
import type { Clock } from '../infra/clock.ts'
import type { Config } from '../infra/config.ts'
import { AppError, describeError } from '../infra/errors.ts'
import type { Log } from '../infra/log/log.ts'
import type { Logger } from '../infra/logger.ts'
import type { Store } from '../infra/store/store.ts'
import type { Tail } from '../infra/store/tail.ts'
import { createAlertReader } from './alert-reader.ts'
import type { Channel } from './channels/channel.ts'
import { createEmailChannel } from './channels/email.ts'
import { createControlReader } from './control-reader.ts'
import { AlertEngine } from './engine.ts'
import { eraseAlertTexts, type IsForgotten } from './erase-texts.ts'
import { historyOf } from './history.ts'
import { createJournal } from './journal.ts'
import { createAlertMetrics } from './metrics.ts'
import { notificationsOf, Outbox } from './outbox.ts'
import { inForceOf } from './revised.ts'
import { alertRoutes } from './routes.ts'
import { foldOptions } from './settings.ts'

export { createPrintChannel } from './channels/print.ts'
export { seedBaselines } from './control.ts'

export interface AlertsDeps {
  readonly store: Store
  readonly tail: Tail
  readonly log: Log
  /** The topic with its epoch, as rows carry it: 'posts@0'. */
  readonly logTopic: string
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
  readonly config: Pick<Config, 'alerts' | 'smtp'>
  /** The name a person knows an instrument by. */
  instrumentName(id: string): string
  /** Beside mail, which the config switches on. */
  readonly channels: readonly Channel[]
  /** Where the pages are; links in alerts begin with it. */
  publicUrl(): string
  /** Whether this process is the one that detects and sends. Those that are not wait, with the journal as it is, until they are. */
  isActive(): boolean
  /** What keeps the engine from its work; undefined when it works again. */
  onHealth?(error: unknown): void
}

export interface Alerts {
  readonly plugin: FastifyPluginAsyncTypebox
  start(): void
  /** Resolves when the pass in hand is persisted and nothing is being sent. Idempotent. */
  stop(): Promise<void>
  /** Empties texts in what is stored and in memory; answers how many events and snapshots held some. */
  forget(isForgotten: IsForgotten): Promise<number>
  /** Resolves when the `control` record at `offset` is in effect; rejects with the signal's reason when it aborts first. */
  seeded(offset: number, signal?: AbortSignal): Promise<void>
}

const pollMs = 250
const maxBackoffMs = 30_000
const smtpTimeoutMs = 20_000
const stopGraceMs = 3_000

export function createAlerts(deps: AlertsDeps): Alerts {
  const { store, tail, log, clock, logger, config, logTopic } = deps
  const metrics = createAlertMetrics(deps.registry)
  const journal = createJournal(store, logTopic)
  const control = createControlReader(log)
  const channels = [...deps.channels, ...mailChannels(config.smtp)]
  const outboxes = channels.map(
    (channel) =>
      new Outbox({
        channel,
        journal,
        clock,
        logger,
        metrics,
        isActive: deps.isActive,
        firstBackoffMs: 1_000,
        maxAttempts: 20,
      }),
  )
  const engine = new AlertEngine({
    tail,
    log,
    control,
    history: historyOf(store, logTopic),
    inForce: inForceOf(store, logTopic),
    journal,
    clock,
    logger,
    metrics,
    fold: foldOptions(config.alerts, deps),
    closeGraceMs: config.alerts.closeGraceMs,
    freshnessMs: config.alerts.freshnessMs,
    notificationsOf: (event) => notificationsOf(event, channels),
    onEvents: () => {
      for (const outbox of outboxes) outbox.wake()
    },
  })
  const stopping = new AbortController()
  const waiting = new Set<{ offset: number; resolve: () => void }>()
  let loop: Promise<void> | undefined
  let passing: Promise<unknown> | undefined

  const pause = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal: stopping.signal }).catch(() => {})

  /** What another engine did meanwhile stands in the journal alone. */
  function takeTurn(isActive: boolean): void {
    engine.forgetMemory()
    logger.info(isActive ? 'alerts are raised and sent here' : 'alerts are left to another process')
    if (isActive) for (const outbox of outboxes) outbox.wake()
  }

  async function run(): Promise<void> {
    let backoffMs = pollMs
    let wasActive = false
    while (!stopping.signal.aborted) {
      const isActive = deps.isActive()
      metrics.active.set(isActive ? 1 : 0)
      if (isActive !== wasActive) takeTurn(isActive)
      wasActive = isActive
      if (!isActive) {
        await pause(pollMs)
        continue
      }
      try {
        const pass = engine.pass()
        passing = pass
        const hasMore = await pass
        if (backoffMs > pollMs) deps.onHealth?.(undefined)
        backoffMs = pollMs
        for (const waiter of waiting) {
          if (engine.control <= waiter.offset) continue
          waiting.delete(waiter)
          waiter.resolve()
        }
        if (!hasMore) await pause(pollMs)
      } catch (error) {
        deps.onHealth?.(error)
        logger.error({ error: describeError(error), backoffMs }, 'alert engine recovers')
        await pause(backoffMs)
        backoffMs = Math.min(maxBackoffMs, backoffMs * 2)
      }
    }
  }

  return {
    plugin: alertRoutes(createAlertReader(store)),
    start() {
      loop ??= run()
    },
    async stop() {
      stopping.abort()
      await control.stop()
      await loop
      const sent = Promise.all(outboxes.map((outbox) => outbox.stop()))
      // What a slow server has not taken by then stays in the outbox.
      await Promise.race([sent, sleep(stopGraceMs, undefined, { ref: false })])
      for (const channel of channels) await channel.close()
    },
    async forget(isForgotten) {
      let total = await eraseAlertTexts(store, isForgotten)
      // The memory is built again from what is stored; what it wrote meanwhile is looked through once more.
      for (let found = 1; found > 0; total += found) {
        engine.forgetMemory()
        await passing?.catch(() => undefined)
        found = await eraseAlertTexts(store, isForgotten)
      }
      return total
    },
    seeded: (offset, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason)
        const waiter = { offset, resolve }
        waiting.add(waiter)
        signal?.addEventListener('abort', () => {
          waiting.delete(waiter)
          reject(signal.reason)
        })
      }),
  }
}

function mailChannels(smtp: Config['smtp']): Channel[] {
  if (smtp.url === '' && smtp.to.length === 0) return []
  if (!/^smtps?:\/\//.test(smtp.url) || !URL.canParse(smtp.url) || smtp.to.length === 0)
    throw new AppError('CONFIG', 'Mail needs both SMTP_URL, like smtp://host:25, and SMTP_TO')
  return [createEmailChannel({ ...smtp, timeoutMs: smtpTimeoutMs })]
}
