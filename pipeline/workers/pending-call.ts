/** A call that waits for its answers, and the texts it is made of. */
import type { Lethal } from '../experts/expert.ts'
import type { Reading, TextToRead } from './protocol.ts'
import type { Queued } from './queue.ts'

export type Answer = Reading | Lethal

/** One text on its way through queue and workers. */
export interface PendingText extends Queued {
  readonly call: PendingCall
  /** When the call came. */
  readonly since: number
  /** In the call. */
  readonly index: number
  readonly text: TextToRead
  /** How many workers died while they read this text and no other. */
  readonly deathsAlone: number
}

/** Settles once: with all answers in the order of its texts, or with the first error. What comes later is dropped. */
export class PendingCall {
  readonly answers: Promise<readonly Answer[]>
  readonly #answers: (Answer | undefined)[]
  #missing: number
  #settled = false
  #resolve: (answers: readonly Answer[]) => void = () => {}
  #reject: (error: Error) => void = () => {}

  constructor(texts: number) {
    this.#answers = new Array(texts)
    this.#missing = texts
    this.answers = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get isSettled(): boolean {
    return this.#settled
  }

  answer(index: number, answer: Answer): void {
    if (this.#settled || this.#answers[index] !== undefined) return
    this.#answers[index] = answer
    this.#missing--
    if (this.#missing > 0) return
    this.#settled = true
    this.#resolve(this.#answers.filter((given) => given !== undefined))
  }

  fail(error: Error): void {
    if (this.#settled) return
    this.#settled = true
    this.#reject(error)
  }
}

export function textsOf(
  call: PendingCall,
  texts: readonly TextToRead[],
  urgency: Pick<PendingText, 'priority' | 'deadline' | 'since'>,
  firstArrival: number,
): PendingText[] {
  return texts.map((text, index) => ({
    ...urgency,
    call,
    index,
    text,
    arrival: firstArrival + index,
    bytes: Buffer.byteLength(text.title) + Buffer.byteLength(text.text),
    deathsAlone: 0,
  }))
}
