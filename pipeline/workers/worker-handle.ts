/**
 * One worker process as the pool sees it, from its start to its end.
 *
 * starting -> ready -> leaving -> ended, and from each of them straight to ended.
 * Starting: it loads its model and gets no job; it has `startWithinMs`. Ready: it has up to two jobs in hand, of which it reads the older one; it has
 * `answerWithinMs` for that, or `aloneWithinMs` where it is a trial of one text. Leaving (`leave`): it gets no further job and is ended when its hands are empty. Ended: whatever it had in hand goes back.
 * One that answers late, out of order, with another number of readings, or that it failed, is killed: a process that went wrong once is not asked again.
 */
import { inert } from '../../infra/inert.ts'
import type { PendingText } from './pending-call.ts'
import type { Done, FromWorker, Ready, Refused } from './protocol.ts'
import type { StartWorker, WorkerProcess } from './worker-process.ts'

export interface Job {
  readonly id: number
  readonly texts: readonly PendingText[]
  /** Of suspects: alone in the worker's hands. */
  readonly isTrial: boolean
  /** When it was given to the worker. */
  readonly givenAt: number
}

export interface WorkerEnd {
  /** For people, inert. */
  readonly how: string
  readonly wasReady: boolean
  /** It was killed because its answer was late: a slow machine's doing as likely as a text's. */
  readonly wasLate: boolean
  readonly refusal: Refused | undefined
  /** What it was reading. */
  readonly begun: Job | undefined
  /** What it had not begun. */
  readonly prefetched: readonly Job[]
}

export interface WorkerBounds {
  readonly startWithinMs: number
  readonly answerWithinMs: number
  /** Far longer: what is late then has not been slowed down by others. */
  readonly aloneWithinMs: number
}

export interface WorkerListener {
  ready(ready: Ready): void
  done(job: Job, done: Done): void
  /** Once, and nothing after it. `expected`: it had been told to leave and had nothing in hand. */
  ended(end: WorkerEnd, expected: boolean): void
}

const jobsInHand = 2

export class WorkerHandle {
  readonly #process: WorkerProcess
  readonly #bounds: WorkerBounds
  readonly #listener: WorkerListener
  readonly #jobs: Job[] = []
  #timer: NodeJS.Timeout | undefined
  #isReady = false
  #isLeaving = false
  #isFresh = true
  #memoryBytes = 0
  #isLate = false
  #refusal: Refused | undefined
  /** Why it was killed. */
  #verdict: string | undefined

  constructor(deps: {
    readonly start: StartWorker
    readonly bounds: WorkerBounds
    readonly listener: WorkerListener
  }) {
    this.#bounds = deps.bounds
    this.#listener = deps.listener
    this.#process = deps.start({
      message: (message) => this.#receive(message),
      ended: (lastWords) => this.#end(lastWords),
    })
    const { startWithinMs } = deps.bounds
    this.#timer = setTimeout(() => {
      this.kill(`was not ready within ${startWithinMs} ms`)
    }, startWithinMs)
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** It has read nothing but suspects. */
  get isFresh(): boolean {
    return this.#isFresh
  }

  /** Resident, when it last said so. */
  get memoryBytes(): number {
    return this.#memoryBytes
  }

  get jobsInHand(): number {
    return this.#jobs.length
  }

  get isTrying(): boolean {
    return this.#jobs.some(({ isTrial }) => isTrial)
  }

  get hasRoom(): boolean {
    const isOpen = this.#isReady && !this.#isLeaving && this.#verdict === undefined
    return isOpen && !this.isTrying && this.#jobs.length < jobsInHand
  }

  give(job: Job): void {
    this.#isFresh &&= job.isTrial
    this.#jobs.push(job)
    this.#process.send({ type: 'read', job: job.id, texts: job.texts.map(({ text }) => text) })
    if (this.#jobs.length === 1) this.#expectAnswer()
  }

  /** Idempotent. */
  leave(): void {
    this.#isLeaving = true
    if (this.#jobs.length === 0) this.#process.kill()
  }

  kill(verdict: string): void {
    this.#verdict ??= verdict
    this.#process.kill()
  }

  #receive(message: FromWorker): void {
    if (this.#verdict !== undefined) return
    if (message.type === 'done') this.#done(message)
    else if (message.type === 'failed') this.kill(`failed: ${inert(message.message)}`)
    else if (message.type === 'refused') this.#refused(message)
    else this.#ready(message)
  }

  #ready(ready: Ready): void {
    clearTimeout(this.#timer)
    this.#isReady = true
    this.#memoryBytes = ready.memoryBytes
    this.#listener.ready(ready)
  }

  #refused(refusal: Refused): void {
    this.#refusal = refusal
    this.kill('refused to start')
  }

  #done(done: Done): void {
    const [job] = this.#jobs
    if (done.job !== job?.id || done.readings.length !== job.texts.length) {
      this.kill('answered something else than it was asked')
      return
    }
    this.#memoryBytes = done.memoryBytes
    this.#jobs.shift()
    this.#expectAnswer()
    this.#listener.done(job, done)
    if (this.#isLeaving) this.leave()
  }

  #expectAnswer(): void {
    clearTimeout(this.#timer)
    const [job] = this.#jobs
    if (job === undefined) return
    const { answerWithinMs, aloneWithinMs } = this.#bounds
    const withinMs = job.isTrial && job.texts.length === 1 ? aloneWithinMs : answerWithinMs
    this.#timer = setTimeout(() => {
      this.#isLate = this.#verdict === undefined
      this.kill(`did not answer within ${withinMs} ms`)
    }, withinMs)
  }

  #end(lastWords: string): void {
    clearTimeout(this.#timer)
    const [begun, ...prefetched] = this.#jobs
    const how = this.#verdict === undefined ? lastWords : `${this.#verdict}; ${lastWords}`
    const isExpected = this.#isLeaving && begun === undefined
    const state = { wasReady: this.#isReady, wasLate: this.#isLate, refusal: this.#refusal }
    this.#listener.ended({ ...state, how, begun, prefetched }, isExpected)
  }
}
