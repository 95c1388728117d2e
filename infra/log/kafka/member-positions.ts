/**
 * Where kafkajs reads in each partition, as far as we told it or saw it: it hands out batches without records (control records, aborted
 * transactions, what compaction removed) without saying which offset it had asked for.
 */
export class MemberPositions {
  /** `exact`: the next batch is the answer to a seek, so that whatever lies below it is a hole. */
  readonly #at = new Map<string, { readonly offset: number; readonly exact: boolean }>()

  clear(): void {
    this.#at.clear()
  }

  sought(topic: string, partition: number, offset: number): void {
    this.#at.set(`${topic}/${partition}`, { offset, exact: true })
  }

  passed(topic: string, partition: number, next: number): void {
    this.#at.set(`${topic}/${partition}`, { offset: next, exact: false })
  }

  /** A batch without records up to `next`, of which `first` is known: answers the offset that was asked for. */
  hidden(topic: string, partition: number, first: number, next: number): number {
    const known = this.#at.get(`${topic}/${partition}`)
    this.passed(topic, partition, next)
    return known?.exact === true && known.offset <= first ? known.offset : first
  }
}
