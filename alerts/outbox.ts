/**
 * Sends what the journal holds as undelivered, with retry. A notification leaves the outbox by an entry in the notification
 * log: sent, or failed for good. A crash between the send and its entry repeats the message under the same id.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../infra/clock.ts'
import { AppError, describeError } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import type { Channel } from './channels/channel.ts'
import type { AlertEvent } from './contract.ts'
import type { Journal, Notification } from './journal.ts'
import type { AlertMetrics } from './metrics.ts'

export interface OutboxOptions {
  readonly journal: Pick<Journal, 'undelivered' | 'writeDelivery'>
  readonly channels: readonly Channel[]
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: AlertMetrics
  readonly firstBackoffMs: number
  readonly maxAttempts: number
}

const maxBackoffMs = 5 * 60_000

/** People hear of a new alert and of its end; in between it is on the page. */
export function notificationsOf(
  event: AlertEvent,
  channels: readonly Channel[],
): readonly Notification[] {
  const isNews = event.state === 'resolved' || isFirstFiring(event)
  if (!isNews) return []
  return channels.map(({ name }) => ({
    id: createHash('sha256').update(`${event.id}/${name}`).digest('hex').slice(0, 20),
    channel: name,
    event,
  }))
}

const isFirstFiring = (event: AlertEvent): boolean =>
  event.state === 'firing' && event.previousState !== 'recovering'

export class Outbox {
  readonly #options: OutboxOptions
  readonly #stopping = new AbortController()
  #wanted = false
  #running: Promise<void> = Promise.resolve()
  #isRunning = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Sends what there is, in the background; more that comes meanwhile is not missed. */
  wake(): void {
    this.#wanted = true
    if (this.#isRunning || this.#stopping.signal.aborted) return
    this.#isRunning = true
    this.#running = this.#run().finally(() => {
      this.#isRunning = false
    })
  }

  /** Resolves when nothing is being sent any more. */
  get settled(): Promise<void> {
    return this.#running
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#wanted && !this.#stopping.signal.aborted) {
      this.#wanted = false
      try {
        const waiting = await this.#options.journal.undelivered()
        await Promise.all(this.#options.channels.map((channel) => this.#drain(channel, waiting)))
      } catch (error) {
        this.#options.logger.error({ error: describeError(error) }, 'outbox cannot be read')
        this.#wanted = await this.#pause(this.#options.firstBackoffMs)
      }
    }
  }

  async #drain(channel: Channel, waiting: readonly Notification[]): Promise<void> {
    for (const notification of waiting)
      if (notification.channel === channel.name && !this.#stopping.signal.aborted)
        await this.#deliver(channel, notification)
  }

  async #deliver(channel: Channel, notification: Notification): Promise<void> {
    const { journal, clock, logger, metrics, maxAttempts, firstBackoffMs } = this.#options
    for (let attempts = 1; ; attempts++) {
      const failure = await attempt(channel, notification)
      const status = failure === undefined ? 'sent' : 'failed'
      metrics.sends.inc({ channel: channel.name, status })
      const { id } = notification
      if (failure === undefined)
        return journal.writeDelivery({ id, status, attempts, error: '' }, clock())
      const error = describeError(failure)
      const isFinal = attempts >= maxAttempts || !isRetryable(failure)
      logger.warn({ notification: id, channel: channel.name, attempts, isFinal, error }, 'not sent')
      if (isFinal) return journal.writeDelivery({ id, status, attempts, error }, clock())
      const backoffMs = Math.min(maxBackoffMs, firstBackoffMs * 2 ** (attempts - 1))
      if (!(await this.#pause(backoffMs))) return
    }
  }

  /** False when stopping cut it short. */
  async #pause(ms: number): Promise<boolean> {
    try {
      await sleep(ms, undefined, { signal: this.#stopping.signal })
      return true
    } catch {
      return false
    }
  }
}

async function attempt(channel: Channel, message: Notification): Promise<unknown> {
  try {
    await channel.send(message)
    return undefined
  } catch (error) {
    return error ?? new Error('unknown failure')
  }
}

const isRetryable = (error: unknown): boolean => !(error instanceof AppError) || error.retryable
