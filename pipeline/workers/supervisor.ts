/**
 * Keeps a number of workers running.
 *
 * Each worker has a place. A place is
 *   starting -> serving -> (its worker dies) resting -> starting ..., and closed at the end.
 * Resting lasts as long as the backoff says for the deaths in a row; an answer makes an end of the row. A worker that has grown beyond its memory leaves:
 * it finishes what it has in hand while its successor already starts in its place, and ends. A worker that refuses to start, or dies while it starts, is
 * tried again like any other, because what it lacks may come back; `health` says so as long as no worker serves.
 */
import { AppError, describeError } from '../../infra/errors.ts'
import { inert } from '../../infra/inert.ts'
import type { Logger } from '../../infra/logger.ts'
import type { Backoff } from '../writer/backoff.ts'
import { noRoom } from './memory-ceiling.ts'
import type { Done, Ready } from './protocol.ts'
import { type Job, type WorkerBounds, type WorkerEnd, WorkerHandle } from './worker-handle.ts'
import type { StartWorker } from './worker-process.ts'

export interface SupervisorListener {
  /** A worker can take a job. */
  room(): void
  done(job: Job, done: Done): void
  /** A worker that was not to end ended with these in hand. */
  died(end: WorkerEnd): void
}

export interface SupervisorDeps {
  readonly count: number
  readonly start: StartWorker
  readonly backoff: Backoff
  readonly bounds: WorkerBounds
  /** Resident memory above which a worker is replaced. */
  readonly memoryBytes: number
  readonly logger: Logger
  readonly listener: SupervisorListener
}

interface Place {
  worker: WorkerHandle | undefined
  rest: NodeJS.Timeout | undefined
  deathsInRow: number
  /** In a row. */
  failedStarts: number
}

/** So many failed starts of one place in a row are no chance. */
const startsToGiveUp = 3

export class Supervisor {
  readonly #deps: SupervisorDeps
  readonly #places: readonly Place[]
  /** All processes that have not ended, those that leave among them. */
  readonly #running = new Set<WorkerHandle>()
  #isClosed = false
  #deaths = 0
  #starts = 0
  #failure: AppError | undefined
  #settleStart: ((failure?: AppError) => void) | undefined
  #allEnded: (() => void) | undefined

  constructor(deps: SupervisorDeps) {
    this.#deps = deps
    this.#places = Array.from({ length: deps.count }, () => ({
      worker: undefined,
      rest: undefined,
      deathsInRow: 0,
      failedStarts: 0,
    }))
  }

  /** Resolves when the first worker is ready; rejects with its error when one refuses, with WORKER when one dies again and again at start. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settleStart = (failure) => {
        this.#settleStart = undefined
        if (failure === undefined) resolve()
        else reject(failure)
      }
      for (const place of this.#places) this.#startIn(place)
    })
  }

  get ready(): readonly WorkerHandle[] {
    return this.#places.flatMap(({ worker }) => (worker?.isReady ? [worker] : []))
  }

  /** Of each place, resident and as last said; 0 where none serves. */
  get memoryBytes(): readonly number[] {
    return this.#places.map(({ worker }) => (worker?.isReady ? worker.memoryBytes : 0))
  }

  /** A worker without a past is on its way, as far as one can tell. */
  get expectsFresh(): boolean {
    return this.#places.some(
      ({ worker, failedStarts }) => failedStarts === 0 && worker?.isReady !== true,
    )
  }

  /** Why no worker serves; undefined as long as one does. */
  get health(): AppError | undefined {
    return this.ready.length > 0 ? undefined : this.#failure
  }

  get counts(): { readonly deaths: number; readonly restarts: number } {
    return { deaths: this.#deaths, restarts: Math.max(0, this.#starts - this.#places.length) }
  }

  /** Workers finish what they have in hand; what has not ended by then is killed. Resolves when no process is left. Once. */
  async close(withinMs: number): Promise<void> {
    this.#isClosed = true
    for (const { rest } of this.#places) clearTimeout(rest)
    for (const worker of this.#running) worker.leave()
    if (this.#running.size === 0) return
    const bound = setTimeout(() => {
      for (const worker of this.#running) worker.kill('did not finish before the end')
    }, withinMs)
    await new Promise<void>((resolve) => {
      this.#allEnded = resolve
    })
    clearTimeout(bound)
  }

  #startIn(place: Place): void {
    if (this.#isClosed) return
    this.#starts++
    try {
      const worker: WorkerHandle = new WorkerHandle({
        start: this.#deps.start,
        bounds: this.#deps.bounds,
        listener: {
          ready: (ready) => this.#ready(place, worker, ready),
          done: (job, done) => this.#done(place, worker, job, done),
          ended: (end, isExpected) => this.#ended(place, worker, end, isExpected),
        },
      })
      place.worker = worker
      this.#running.add(worker)
    } catch (error) {
      this.#failedToStart(place, startFailure(describeError(error)))
      this.#restart(place)
    }
  }

  #ready(place: Place, worker: WorkerHandle, { provider, speed, memoryBytes }: Ready): void {
    const { logger, memoryBytes: ceiling } = this.#deps
    const refusal = noRoom(memoryBytes, ceiling)
    if (refusal !== undefined) {
      this.#failedToStart(place, refusal)
      worker.kill('has no room to work')
      return
    }
    logger.info({ provider, windowsPerSecond: speed, memoryBytes }, 'worker ready')
    place.failedStarts = 0
    this.#failure = undefined
    this.#settleStart?.()
    this.#deps.listener.room()
  }

  #done(place: Place, worker: WorkerHandle, job: Job, done: Done): void {
    place.deathsInRow = 0
    const { memoryBytes, logger } = this.#deps
    if (done.memoryBytes > memoryBytes && place.worker === worker) {
      logger.warn({ memoryBytes: done.memoryBytes, ceiling: memoryBytes }, 'worker is replaced')
      worker.leave()
      this.#startIn(place)
    }
    this.#deps.listener.done(job, done)
    this.#deps.listener.room()
  }

  #ended(place: Place, worker: WorkerHandle, end: WorkerEnd, isExpected: boolean): void {
    this.#running.delete(worker)
    if (!isExpected) this.#died(place, worker, end)
    if (this.#running.size === 0) this.#allEnded?.()
  }

  #died(place: Place, worker: WorkerHandle, end: WorkerEnd): void {
    const { logger, listener } = this.#deps
    const { how, refusal, begun } = end
    const facts = {
      how,
      reason: refusal && inert(refusal.message),
      job: begun?.id,
      texts: begun?.texts.length,
    }
    if (this.#isClosed) logger.info(facts, 'worker ended with work in hand')
    else {
      this.#deaths++
      logger.error(facts, 'worker died')
    }
    if (place.worker === worker) {
      place.worker = undefined
      if (!end.wasReady) this.#failedToStart(place, failureOf(end))
      this.#restart(place)
    }
    listener.died(end)
  }

  #failedToStart(place: Place, failure: AppError): void {
    place.failedStarts++
    this.#failure = failure
    if (failure.code !== 'WORKER' || place.failedStarts >= startsToGiveUp)
      this.#settleStart?.(failure)
  }

  #restart(place: Place): void {
    if (this.#isClosed) return
    place.deathsInRow++
    place.rest = setTimeout(() => this.#startIn(place), this.#deps.backoff(place.deathsInRow))
  }
}

function failureOf({ refusal, how }: WorkerEnd): AppError {
  return refusal === undefined
    ? startFailure(how)
    : new AppError(refusal.code, inert(refusal.message))
}

function startFailure(how: string): AppError {
  return new AppError('WORKER', `A worker process does not start: ${how}`, { retryable: true })
}
