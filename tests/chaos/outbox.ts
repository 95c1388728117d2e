/** The producer's notes: what it still has to send, and what it sent with which answer. */
import type { Position } from '../../infra/log/log.ts'
import type { Sent } from './history.ts'
import type { Send } from './plan.ts'

export class Outbox {
  readonly sent: Sent[] = []
  readonly #toSend: Send[] = []

  add(sends: readonly Send[]): void {
    this.#toSend.push(...sends)
  }

  /** What to send next; the same until it is noted. */
  get next(): Send | undefined {
    return this.#toSend[0]
  }

  /** What was next is sent. Without positions no answer came: where the producer repeats it, it is next again. */
  note({ records, unanswered }: Send, positions: readonly Position[] | undefined): void {
    for (const [index, { id, fate, content }] of records.entries())
      if (fate !== 'control') this.sent.push({ id, fate, content, at: positions?.[index] })
    if (positions !== undefined || unanswered === 'give-up') this.#toSend.shift()
  }
}
