/** For tests: a log that only appends, and fails when told to. What the product itself runs on is in infra/log. */
import { EventEmitter, once } from 'node:events'
import type { Log, NewRecord, Position } from '../infra/log/log.ts'

export class ScriptedLog implements Pick<Log, 'append'> {
  readonly records: NewRecord[] = []
  /** Called before each append with its place in the order of calls; what it throws, the append fails with. */
  before: (call: number) => Promise<void> | void = () => undefined
  #calls = 0

  async append(topic: string, records: readonly NewRecord[]): Promise<readonly Position[]> {
    await this.before(this.#calls++)
    return records.map((record) => ({
      topic,
      partition: 0,
      offset: this.records.push(record) - 1,
    }))
  }

  /** Keeps the next append, and no later one, waiting. */
  hold(): { entered: Promise<unknown>; release(): void } {
    const gate = new EventEmitter()
    const entered = once(gate, 'enter')
    const held = this.#calls
    this.before = async (call) => {
      if (call !== held) return
      const released = once(gate, 'release')
      gate.emit('enter')
      await released
    }
    return { entered, release: () => gate.emit('release') }
  }
}
