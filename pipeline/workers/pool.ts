/**
 * Texts in, readings out, by worker processes: the parent's side of serving.
 *
 * A text is waiting (in the queue) -> in hand of a worker -> answered. Whenever a worker has room, the most urgent texts of the queue, from however many
 * calls, become its next job: a worker has one job to read and one in reserve. When a worker dies, the job in reserve goes back to the queue, and the
 * texts it was reading become suspects (`suspects.ts`): tried apart from all others until each is answered or convicted. A call settles once: when all its
 * texts are answered, or when one of them could not begin in time. So no text is lost and none is answered twice, whatever dies.
 */
import type { Clock } from '../../infra/clock.ts'
import { AppError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Call, Lethal } from '../experts/expert.ts'
import { type Backoff, jitteredBackoff } from '../writer/backoff.ts'
import { LethalTexts } from './lethal-texts.ts'
import { type Answer, PendingCall, type PendingText, textsOf } from './pending-call.ts'
import type { Done, TextToRead } from './protocol.ts'
import { type QueueLimits, TextQueue } from './queue.ts'
import { Supervisor } from './supervisor.ts'
import { Suspects } from './suspects.ts'
import type { Job, WorkerBounds, WorkerEnd } from './worker-handle.ts'
import type { StartWorker } from './worker-process.ts'

export interface WorkerPool {
  /**
   * One answer a text, in order. Rejects with OVERLOADED when the queue has no room for all of them, DEADLINE when one could not begin in time,
   * WORKER when the pool is closed. Without `call`: history, and no deadline.
   */
  read(texts: readonly TextToRead[], call?: Call): Promise<readonly Answer[]>
  /** Why no worker can be had now; undefined when one serves, or is only being restarted. Calls wait meanwhile. */
  health(): AppError | undefined
  stats(): PoolStats
  /** Calls that wait are rejected; jobs in hand are finished, or abandoned after `closeWithinMs`. Resolves when no process is left. Idempotent. */
  close(): Promise<void>
}

export interface PoolStats {
  readonly queuedTexts: number
  readonly queuedBytes: number
  /** Answered by workers. */
  readonly texts: number
  readonly windows: number
  readonly tokens: { readonly real: number; readonly padded: number }
  readonly batches: number
  /** What reading took: of one core, or of the device. */
  readonly computeMs: number
  /** UTF-16 units of the texts read, titles included. */
  readonly characters: number
  readonly jobs: number
  /** Resident memory of each worker that serves, when it last said so; 0 where none serves. */
  readonly memoryBytes: readonly number[]
  readonly workersReady: number
  readonly deaths: number
  /** After deaths and for memory. */
  readonly restarts: number
  readonly lethalTexts: number
}

export interface PoolBounds extends WorkerBounds {
  readonly closeWithinMs: number
}

export interface WorkerPoolDeps {
  readonly count: number
  readonly start: StartWorker
  readonly queue: QueueLimits
  /** Resident memory above which a worker is replaced. */
  readonly memoryBytes: number
  readonly clock: Clock
  readonly logger: Logger
  readonly job?: QueueLimits
  readonly bounds?: PoolBounds
  /** Called for each text that a worker answered: how long it waited until the worker had it, earlier workers' deaths included. */
  readonly onWaited?: (ms: number) => void
  readonly backoff?: Backoff
}

/** The window in which a worker sorts by length; the bytes bound how long a job of long texts keeps urgent ones waiting. */
export const defaultJob: QueueLimits = { texts: 128, bytes: 65_536 }

/** A job takes a quarter of a second on one core, some seconds where its texts are punctuation alone: a token a character. */
const defaultBounds: PoolBounds = {
  startWithinMs: 120_000,
  answerWithinMs: 60_000,
  aloneWithinMs: 300_000,
  closeWithinMs: 1_000,
}

/** setTimeout takes no more. */
const longestTimerMs = 2 ** 31 - 1

/** Resolves when the first worker is ready. Rejects with what it says when one refuses (MODEL, PROVIDER), with WORKER when they die at start. */
export async function startWorkerPool(deps: WorkerPoolDeps): Promise<WorkerPool> {
  const pool = new Pool(deps)
  await pool.start()
  return pool
}

class Pool implements WorkerPool {
  readonly #clock: Clock
  readonly #queue: TextQueue<PendingText>
  readonly #jobLimits: QueueLimits
  readonly #closeWithinMs: number
  readonly #onWaited: (ms: number) => void
  readonly #supervisor: Supervisor
  readonly #suspects = new Suspects()
  readonly #lethalTexts = new LethalTexts()
  #alarm: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined
  #arrivals = 0
  #jobs = 0
  #work = {
    texts: 0,
    windows: 0,
    realTokens: 0,
    paddedTokens: 0,
    batches: 0,
    computeMs: 0,
    characters: 0,
  }

  constructor(deps: WorkerPoolDeps) {
    const bounds = deps.bounds ?? defaultBounds
    this.#clock = deps.clock
    this.#queue = new TextQueue(deps.queue)
    this.#jobLimits = deps.job ?? defaultJob
    this.#closeWithinMs = bounds.closeWithinMs
    this.#onWaited = deps.onWaited ?? (() => {})
    this.#supervisor = new Supervisor({
      count: deps.count,
      start: deps.start,
      backoff: deps.backoff ?? jitteredBackoff(Math.random),
      bounds,
      memoryBytes: deps.memoryBytes,
      logger: deps.logger,
      listener: {
        room: () => this.#dispatch(),
        done: (job, done) => this.#answer(job, done),
        died: (end) => this.#takeBack(end),
      },
    })
  }

  async start(): Promise<void> {
    try {
      await this.#supervisor.start()
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async read(texts: readonly TextToRead[], call?: Call): Promise<readonly Answer[]> {
    if (this.#closing !== undefined) throw closed()
    if (texts.length === 0) return []
    const { priority, withinMs } = call ?? {
      priority: 'history',
      withinMs: Number.POSITIVE_INFINITY,
    }
    const pending = new PendingCall(texts.length)
    const since = this.#clock()
    const urgency = { priority, since, deadline: since + withinMs }
    const all = textsOf(pending, texts, urgency, this.#arrivals)
    const dead = new Set(all.filter(({ text }) => this.#lethalTexts.has(text)))
    const refusal = this.#queue.add(all.filter((text) => !dead.has(text)))
    if (refusal !== undefined) throw refusal
    this.#arrivals += texts.length
    for (const { index } of dead) pending.answer(index, lethal)
    this.#dispatch()
    return pending.answers
  }

  health(): AppError | undefined {
    return this.#supervisor.health
  }

  stats(): PoolStats {
    const { realTokens, paddedTokens, ...work } = this.#work
    return {
      queuedTexts: this.#queue.texts,
      queuedBytes: this.#queue.bytes,
      ...work,
      tokens: { real: realTokens, padded: paddedTokens },
      jobs: this.#jobs,
      memoryBytes: this.#supervisor.memoryBytes,
      workersReady: this.#supervisor.ready.length,
      ...this.#supervisor.counts,
      lethalTexts: this.#lethalTexts.count,
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearTimeout(this.#alarm)
    for (const { call } of [...this.#queue.clear(), ...this.#suspects.clear()]) call.fail(closed())
    await this.#supervisor.close(this.#closeWithinMs)
  }

  /** Gives every worker with room the most urgent work there is. */
  #dispatch(): void {
    if (this.#closing !== undefined) return
    this.#expire()
    this.#tryNext()
    for (;;) {
      const open = this.#supervisor.ready.filter(({ hasRoom }) => hasRoom)
      const fewest = Math.min(...open.map(({ jobsInHand }) => jobsInHand))
      const next = open.filter(({ jobsInHand }) => jobsInHand === fewest)
      const [worker] = next
      if (worker === undefined || this.#queue.texts === 0) break
      // Those that are equally idle share what there is.
      const texts = Math.min(this.#jobLimits.texts, Math.ceil(this.#queue.texts / next.length))
      worker.give(this.#job(this.#queue.take({ ...this.#jobLimits, texts }), false))
    }
    this.#setAlarm()
  }

  /** One trial at a time, so that one worker at most is lost to suspects and the others go on. */
  #tryNext(): void {
    const { ready, expectsFresh } = this.#supervisor
    if (this.#suspects.isEmpty || ready.some(({ isTrying }) => isTrying)) return
    const idle = ready.filter(({ hasRoom, jobsInHand }) => hasRoom && jobsInHand === 0)
    const worker = idle.find(({ isFresh }) => isFresh) ?? (expectsFresh ? undefined : idle[0])
    const texts = worker === undefined ? undefined : this.#suspects.next()
    if (texts !== undefined) worker?.give(this.#job(texts, true))
  }

  #job(texts: readonly PendingText[], isTrial: boolean): Job {
    return { id: this.#jobs++, texts, isTrial, givenAt: this.#clock() }
  }

  #answer(job: Job, done: Done): void {
    const work = this.#work
    work.texts += job.texts.length
    work.realTokens += done.tokens.real
    work.paddedTokens += done.tokens.padded
    work.batches += done.batches
    work.computeMs += done.computeMs
    for (const { text } of job.texts) work.characters += text.text.length + text.title.length
    job.texts.forEach(({ call, index, since }, at) => {
      const reading = done.readings[at]
      if (reading === undefined) return
      work.windows += reading.windowTokens.length
      this.#onWaited(job.givenAt - since)
      call.answer(index, reading)
    })
  }

  #takeBack({ begun, prefetched, wasLate }: WorkerEnd): void {
    if (begun === undefined) return
    if (this.#closing !== undefined) {
      for (const { call } of [begun, ...prefetched].flatMap(({ texts }) => texts))
        call.fail(closed())
      return
    }
    const convicted = this.#suspects.add(begun, this.#stillWanted(begun), { wasLate })
    if (convicted !== undefined) this.#convict(convicted)
    this.#queue.putBack(prefetched.flatMap((job) => this.#stillWanted(job)))
    this.#dispatch()
  }

  /** Texts that somebody waits for; copies of one that was convicted meanwhile are answered instead. */
  #stillWanted({ texts }: Job): PendingText[] {
    const awaited = texts.filter(({ call }) => !call.isSettled)
    const dead = new Set(awaited.filter(({ text }) => this.#lethalTexts.has(text)))
    for (const { call, index } of dead) call.answer(index, lethal)
    return awaited.filter((text) => !dead.has(text))
  }

  /** The text, and all copies of it that wait: each would cost as many workers again. */
  #convict(convicted: PendingText): void {
    this.#lethalTexts.add(convicted.text)
    const isCopy = ({ text }: PendingText) =>
      text.text === convicted.text.text && text.title === convicted.text.title
    const copies = [...this.#queue.remove(isCopy), ...this.#suspects.remove(isCopy)]
    for (const { call, index } of [convicted, ...copies]) call.answer(index, lethal)
  }

  #expire(): void {
    const now = this.#clock()
    const isLate = ({ deadline }: PendingText) => deadline <= now
    for (const { call } of [...this.#queue.expire(now), ...this.#suspects.remove(isLate)])
      call.fail(new AppError('DEADLINE', 'No worker could begin in time', { retryable: true }))
  }

  #setAlarm(): void {
    clearTimeout(this.#alarm)
    const next = Math.min(this.#queue.nextDeadline(), this.#suspects.nextDeadline())
    if (next === Number.POSITIVE_INFINITY) return
    const inMs = Math.min(longestTimerMs, Math.max(1, next - this.#clock()))
    this.#alarm = setTimeout(() => this.#dispatch(), inMs)
  }
}

const lethal: Lethal = { lethal: 'ended or broke the worker that read it, twice and alone' }

function closed(): AppError {
  return new AppError('WORKER', 'The workers were stopped', { retryable: true })
}
