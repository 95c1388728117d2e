/** A run on the embedded log and store: a process of the pipeline, killed or crashed as the plan says, and what was left of it. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Position } from '../../infra/log/log.ts'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import type { Breakage } from './breakage.ts'
import { atRandom, type Fault } from './faults.ts'
import { checkHistory, type Finding, type Sent } from './history.ts'
import type { Life, Plan, Send } from './plan.ts'
import type { Inspection, LifeOrder } from './victim/messages.ts'
import { VictimProcess } from './victim-process.ts'

export interface RunResult {
  readonly findings: readonly Finding[]
  /** Names of the faults that were planned, and of those that struck. */
  readonly planned: readonly string[]
  readonly struck: readonly string[]
  readonly records: number
}

const temporary = (): string => mkdtempSync(join(tmpdir(), 'tickertone-chaos-'))
const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true })

/** Runs one plan after another; a process that was not killed serves the next. */
export class EmbeddedRunner {
  readonly #template: string
  readonly #breakage: Breakage | undefined
  #victim: VictimProcess | undefined

  /** The template is a store without rows, to be copied: to make one takes longer. */
  constructor(template: string, breakage: Breakage | undefined) {
    this.#template = template
    this.#breakage = breakage
  }

  /** Rejects when the pipeline fails or stands still. */
  async run(plan: Plan): Promise<RunResult> {
    const folder = temporary()
    const run = new EmbeddedRun(plan, folder, this.#template, this.#breakage)
    try {
      return await run.toItsEnd(() => this.#process())
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

/** A store without rows, in a folder that `remove` ends. */
export async function emptyStore(): Promise<{ readonly path: string; remove(): void }> {
  const path = temporary()
  const store = await openEmbeddedStore({ path })
  await store.close()
  return { path, remove: () => remove(path) }
}

class EmbeddedRun {
  readonly #plan: Plan
  readonly #order: LifeOrder
  readonly #quietPath: string
  readonly #toSend: Send[] = []
  readonly #sent: Sent[] = []
  readonly #struck: string[] = []
  #appends = 0

  constructor(plan: Plan, folder: string, template: string, breakage: Breakage | undefined) {
    this.#plan = plan
    this.#quietPath = join(folder, 'quiet')
    this.#order = {
      logPath: join(folder, 'log'),
      storePath: join(folder, 'store'),
      logTopic: 'posts@0',
      partitions: plan.partitions,
      batchRecords: plan.batchRecords,
      flushMs: plan.flushMs,
      deduplicationWindow: plan.deduplicationWindow,
      holdBytes: plan.holdBytes,
      faults: [],
      breakage,
    }
    for (const path of [this.#order.storePath, this.#quietPath])
      cpSync(template, path, { recursive: true })
  }

  async toItsEnd(process: () => VictimProcess): Promise<RunResult> {
    for (const life of this.#plan.lives) await this.#live(process(), life)
    const left = await this.#inspect(process())
    return {
      findings: checkHistory({ ...left, logTopic: this.#order.logTopic, sent: this.#sent }),
      planned: this.#plan.lives.flatMap((life) => faultsOf(life).map(({ name }) => name)),
      struck: this.#struck,
      records: this.#sent.length,
    }
  }

  async #inspect(victim: VictimProcess): Promise<Inspection> {
    const file = `${this.#quietPath}.json`
    const command = { do: 'inspect', order: this.#order, quietPath: this.#quietPath, file } as const
    const { said } = await victim.ask(command, 'inspected')
    if (said !== 'inspected') throw new Error(`the process has ${said} after all lives`)
    return JSON.parse(readFileSync(file, 'utf8')) as Inspection
  }

  async #live(victim: VictimProcess, life: Life): Promise<void> {
    this.#toSend.push(...life.sends)
    victim.onStruck = (fault) => this.#struck.push(fault)
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
    for (let send = this.#toSend[0]; send !== undefined; send = this.#toSend[0])
      if (!(await this.#send(victim, send))) return true
    const drained = await victim.ask({ do: 'drain' }, 'drained')
    if (drained.said !== 'drained') return true
    if (life.death === undefined) await victim.ask({ do: 'stop' }, 'stopped')
    return false
  }

  /** False when no answer came; what was sent then stays in hand where the producer repeats it. */
  async #send(victim: VictimProcess, send: Send): Promise<boolean> {
    this.#appends += 1
    const records = send.records.map(({ key, value }) => ({ key, value }))
    const answer = await victim.ask({ do: 'append', id: this.#appends, records }, 'appended')
    const isAnswered = answer.said === 'appended'
    this.#note(send, isAnswered ? answer.positions : [])
    if (isAnswered || send.unanswered === 'give-up') this.#toSend.shift()
    return isAnswered
  }

  #note({ records }: Send, positions: readonly Position[]): void {
    for (const [index, { id, fate, content }] of records.entries())
      if (fate !== 'control') this.#sent.push({ id, fate, content, at: positions[index] })
  }

  #killLater(victim: VictimProcess, death: Fault | undefined) {
    if (death?.name !== atRandom) return undefined
    const given = new AbortController()
    const killed = delay(death.amount, undefined, { signal: given.signal }).then(
      () => {
        this.#struck.push(atRandom)
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

const faultsOf = ({ faults, death }: Life): readonly Fault[] =>
  death === undefined ? faults : [...faults, death]
