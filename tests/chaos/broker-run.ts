/**
 * A run on a real broker and a store behind HTTP: processes of the pipeline that are killed, or stopped until another has taken over;
 * broker and store killed and started again; connections cut. The runner is the producer.
 */
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Log, Position } from '../../infra/log/log.ts'
import { topics } from '../../infra/log/log.ts'
import { openServerStore } from '../../infra/store/server.ts'
import type { Store } from '../../infra/store/store.ts'
import type { Breakage } from './breakage.ts'
import { Cluster } from './cluster.ts'
import { atRandom, type Fault, isOutside } from './faults.ts'
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
import { openLog } from './victim/places.ts'
import { VictimProcess } from './victim-process.ts'

export class BrokerRunner implements Runner {
  readonly #template: string
  readonly #breakage: Breakage | undefined
  readonly #cluster = Cluster.start()
  readonly #idle: VictimProcess[] = []
  #runs = 0

  /** The template is a store without rows. */
  constructor(template: string, breakage: Breakage | undefined) {
    this.#template = template
    this.#breakage = breakage
  }

  async run(plan: Plan): Promise<RunResult> {
    const cluster = await this.#cluster
    const folder = temporary()
    const quietPath = join(folder, 'quiet')
    copyStore(this.#template, quietPath)
    this.#runs += 1
    const topicPrefix = `run-${this.#runs}.`
    const places = {
      log: { kind: 'kafka', broker: cluster.broker.address, topicPrefix },
      store: { kind: 'server', url: cluster.proxiedStoreUrl },
      logTopic: `posts@${this.#runs}`,
    } as const
    const order = orderOf(plan, places, this.#breakage)
    const log = await openLog(order, Date.now)
    const store = await openServerStore({ url: cluster.storeUrl })
    const run = new BrokerRun({ cluster, order, log, store, idle: this.#idle, topicPrefix })
    try {
      for (const life of plan.lives) await run.live(life)
      const left = await inspect(run.process(), order, quietPath)
      return resultOf(plan, order, run.outbox, left, run.struck)
    } finally {
      await run.end()
      await Promise.all([log.close(), store.close()])
      remove(folder)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.map((victim) => victim.kill()))
    await (await this.#cluster).stop()
  }
}

interface BrokerRunDeps {
  readonly cluster: Cluster
  readonly order: LifeOrder
  readonly log: Log
  /** Not through the proxy. */
  readonly store: Store
  /** Processes that no run uses now. */
  readonly idle: VictimProcess[]
  readonly topicPrefix: string
}

/** A cluster that was killed is back by then, and its clients too. */
const patienceMs = 120_000

class BrokerRun {
  readonly outbox = new Outbox()
  readonly struck: string[] = []
  readonly #deps: BrokerRunDeps
  readonly #asleep: VictimProcess[] = []
  readonly #used = new Set<VictimProcess>()

  constructor(deps: BrokerRunDeps) {
    this.#deps = deps
  }

  async live(life: Life): Promise<void> {
    this.outbox.add(life.sends)
    const over = new AbortController()
    const outside = life.faults.filter(isOutside).map((fault) => this.#harm(fault, over.signal))
    const victim = this.process()
    const end = this.#endOf(victim, life.death, over.signal)
    const opening = this.#open(victim, life)
    opening.catch(() => undefined)
    const working = this.#work(opening, over.signal)
    const first = await Promise.race([end, working])
    over.abort()
    this.#deps.cluster.proxy.play()
    await Promise.all([working.catch(() => undefined), ...outside])
    if (first === 'drained') await this.#wake()
    await this.#finish(victim, life, first)
  }

  /** A process that is waiting for an order. */
  process(): VictimProcess {
    const known = this.#deps.idle.pop()
    const victim = known?.alive === true ? known : new VictimProcess()
    this.#used.add(victim)
    return victim
  }

  /** Processes that can be used again are; nothing else is left. */
  async end(): Promise<void> {
    this.#deps.cluster.proxy.play()
    for (const victim of this.#used) if (!this.#deps.idle.includes(victim)) await victim.kill()
  }

  async #open(victim: VictimProcess, life: Life): Promise<void> {
    const faults = faultsOf(life).filter((fault) => fault.name !== atRandom && !isOutside(fault))
    await victim.ask({ do: 'open', order: { ...this.#deps.order, faults } }, 'opened')
  }

  async #work(opening: Promise<void>, signal: AbortSignal): Promise<'drained' | 'ended'> {
    for (let send = this.outbox.next; send !== undefined; send = this.outbox.next) {
      if (signal.aborted) return 'ended'
      this.outbox.note(send, await this.#append(send))
    }
    await opening
    const deadline = performance.now() + patienceMs
    while (!(await this.#isDrained())) {
      if (signal.aborted) return 'ended'
      if (performance.now() > deadline) throw new Error('the pipeline is stuck')
      await delay(30)
    }
    return 'drained'
  }

  async #append({ records }: Send): Promise<readonly Position[] | undefined> {
    const { cluster, log, order, topicPrefix } = this.#deps
    for (const { value } of records.filter(({ fate }) => fate === 'control'))
      await cluster.appendAborted(`${topicPrefix}${topics.posts}`, order.partitions, value)
    const kept = records.filter(({ fate }) => fate !== 'control')
    try {
      const positions = [...(await log.append(topics.posts, kept))]
      const nowhere = { topic: topics.posts, partition: -1, offset: -1 }
      return records.map(({ fate }) =>
        fate === 'control' ? nowhere : (positions.shift() ?? nowhere),
      )
    } catch {
      return undefined
    }
  }

  async #isDrained(): Promise<boolean> {
    const { log, store, order } = this.#deps
    try {
      const ends = await log.endOffsets(topics.posts)
      for (const [partition, end] of ends.entries())
        if ((await store.mark({ logTopic: order.logTopic, partition })) < end - 1) return false
      return true
    } catch {
      return false
    }
  }

  async #harm({ name, action, amount, nth }: Fault, signal: AbortSignal): Promise<void> {
    const { cluster } = this.#deps
    if (action === 'cut-answer' || action === 'cut-request') {
      this.#cut(name, action === 'cut-answer' ? 'answer' : 'request', nth)
      return
    }
    await delay(amount, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    this.struck.push(name)
    if (action === 'kill-broker') await cluster.restartBroker()
    else await cluster.restartStore()
  }

  /** At the n-th insert; later ones pass. */
  #cut(name: string, at: 'answer' | 'request', nth: number): void {
    let inserts = 0
    this.#deps.cluster.proxy.play((moment) => {
      if (moment.at !== at || !isInsert(moment.request)) return 'pass'
      inserts += 1
      if (inserts !== nth) return 'pass'
      this.struck.push(name)
      return 'reset'
    })
  }

  /** Resolves when the process dies, or falls asleep. */
  #endOf(
    victim: VictimProcess,
    death: Fault | undefined,
    signal: AbortSignal,
  ): Promise<'died' | 'asleep'> {
    const asleep = new Promise<'asleep'>((resolve) => {
      victim.onStruck = (fault) => {
        this.struck.push(fault)
        if (death?.action === 'pause' && fault === death.name) resolve('asleep')
      }
    })
    if (death?.name === atRandom)
      void delay(death.amount, undefined, { signal }).then(
        () => {
          this.struck.push(atRandom)
          return victim.kill()
        },
        () => undefined,
      )
    return Promise.race([asleep, victim.gone.then(() => 'died' as const)])
  }

  async #finish(
    victim: VictimProcess,
    { death }: Life,
    how: 'drained' | 'ended' | 'died' | 'asleep',
  ): Promise<void> {
    if (how === 'asleep') this.#asleep.push(victim)
    else if (how === 'died' && death === undefined)
      throw new Error(`the process ended by itself: ${victim.words}`)
    else if (how === 'drained' && death === undefined) await this.#rest(victim)
    else await victim.kill()
  }

  /** Now that another process has done their work. What they had in hand arrives before they stop. */
  async #wake(): Promise<void> {
    for (const zombie of this.#asleep.splice(0)) {
      zombie.wake()
      await this.#rest(zombie)
    }
  }

  async #rest(victim: VictimProcess): Promise<void> {
    await victim.ask({ do: 'stop' }, 'stopped')
    this.#deps.idle.push(victim)
  }
}

const isInsert = (request: Buffer): boolean => request.includes('INSERT INTO `analyses`')
