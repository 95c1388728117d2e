/** A run on the embedded log and store: a process of the pipeline, killed or crashed as the plan says, and what was left of it. */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Breakage } from './breakage.ts'
import { atRandom, type Fault } from './faults.ts'
import { Outbox } from './outbox.ts'
import type { Life, Plan, Send } from './plan.ts'
import {
  copyStore,
  faultsOf,
  inspect,
  orderOf,
  type Runner,
  type RunResult,
  remove,
  resultOf,
  temporary,
} from './run.ts'
import type { LifeOrder } from './victim/messages.ts'
import { VictimProcess } from './victim-process.ts'

/** A process that was not killed serves the next run. */
export class EmbeddedRunner implements Runner {
  readonly #template: string
  readonly #breakage: Breakage | undefined
  #victim: VictimProcess | undefined

  /** The template is a store without rows. */
  constructor(template: string, breakage: Breakage | undefined) {
    this.#template = template
    this.#breakage = breakage
  }

  async run(plan: Plan): Promise<RunResult> {
    const folder = temporary()
    const [storePath, quietPath] = [join(folder, 'store'), join(folder, 'quiet')]
    for (const path of [storePath, quietPath]) copyStore(this.#template, path)
    const places = {
      log: { kind: 'embedded', path: join(folder, 'log') },
      store: { kind: 'embedded', path: storePath },
      logTopic: 'posts@0',
    } as const
    const order = orderOf(plan, places, this.#breakage)
    const run = new EmbeddedRun(order)
    try {
      for (const life of plan.lives) await run.live(this.#process(), life)
      const left = await inspect(this.#process(), order, quietPath)
      return resultOf(plan, order, run.outbox, left, run.struck)
    } catch (error) {
      await this.#victim?.kill()
      throw error
    } finally {
      remove(folder)
    }
  }

  async close(): Promise<void> {
    await this.#victim?.kill()
  }

  #process(): VictimProcess {
    if (this.#victim?.alive !== true) this.#victim = new VictimProcess()
    return this.#victim
  }
}

class EmbeddedRun {
  readonly outbox = new Outbox()
  readonly struck: string[] = []
  readonly #order: LifeOrder
  #appends = 0

  constructor(order: LifeOrder) {
    this.#order = order
  }

  async live(victim: VictimProcess, life: Life): Promise<void> {
    this.outbox.add(life.sends)
    victim.onStruck = (fault) => this.struck.push(fault)
    const timer = this.#killLater(victim, life.death)
    const isOver = await this.#work(victim, life)
    await timer?.stop()
    if (isOver && life.death === undefined)
      throw new Error(`the process ended by itself: ${victim.words}`)
    // It waited for what never came.
    if (!isOver && life.death !== undefined) await victim.kill()
  }

  /** True when the life ended before its work was done. */
  async #work(victim: VictimProcess, life: Life): Promise<boolean> {
    const faults = faultsOf(life).filter(({ name }) => name !== atRandom)
    const opened = await victim.ask({ do: 'open', order: { ...this.#order, faults } }, 'opened')
    if (opened.said !== 'opened') return true
    for (let send = this.outbox.next; send !== undefined; send = this.outbox.next)
      if (!(await this.#send(victim, send))) return true
    const drained = await victim.ask({ do: 'drain' }, 'drained')
    if (drained.said !== 'drained') return true
    if (life.death === undefined) await victim.ask({ do: 'stop' }, 'stopped')
    return false
  }

  /** False when no answer came. */
  async #send(victim: VictimProcess, send: Send): Promise<boolean> {
    this.#appends += 1
    const records = send.records.map(({ key, value }) => ({ key, value }))
    const answer = await victim.ask({ do: 'append', id: this.#appends, records }, 'appended')
    const isAnswered = answer.said === 'appended'
    this.outbox.note(send, isAnswered ? answer.positions : undefined)
    return isAnswered
  }

  #killLater(victim: VictimProcess, death: Fault | undefined) {
    if (death?.name !== atRandom) return undefined
    const given = new AbortController()
    const killed = delay(death.amount, undefined, { signal: given.signal }).then(
      () => {
        this.struck.push(atRandom)
        return victim.kill()
      },
      () => undefined,
    )
    return {
      async stop() {
        given.abort()
        await killed
      },
    }
  }
}
