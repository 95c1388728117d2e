/** What each strategy did since the start, under the same names for all of them, and where labels showed a drift: for Prometheus and for `GET /api/allocation`. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { strategies } from '../contract.ts'
import { type Circuit, circuitStates } from '../experts/breaker.ts'
import type { Judgement } from './judgement.ts'
import type { KeptDrift } from './weights/keeper.ts'

export interface StrategyTraffic {
  readonly posts: number
  readonly degraded: number
  /** Compute as the rows have it, shadows without. */
  readonly costMs: number
  /** Sum over the posts. */
  readonly confidence: number
  /** On how many posts each expert ran. */
  readonly runs: Readonly<Record<string, number>>
}

export interface Traffic {
  judged(judgements: readonly Judgement[]): void
  circuit(expert: string, circuit: Circuit): void
  drifted(drift: KeptDrift): void
  /** By strategy; all of them. */
  byStrategy(): Readonly<Record<string, StrategyTraffic>>
  /** The last ones, the newest first. */
  drifts(): readonly KeptDrift[]
}

const driftsKept = 20

class Tally implements StrategyTraffic {
  posts = 0
  degraded = 0
  costMs = 0
  confidence = 0
  readonly runs: Record<string, number> = {}

  add(judgement: Judgement): void {
    this.posts++
    this.degraded += Number(judgement.degraded)
    this.confidence += judgement.confidence
    for (const [expert, costMs] of runsOf(judgement)) {
      this.costMs += costMs
      this.runs[expert] = (this.runs[expert] ?? 0) + 1
    }
  }
}

/** What the run of the experts that count cost, milliseconds. */
export function costMsOf(judgement: Judgement): number {
  return [...runsOf(judgement).values()].reduce((sum, ms) => sum + ms, 0)
}

/** By expert: an expert has a column a task. */
function runsOf(judgement: Judgement): ReadonlyMap<string, number> {
  const runs = new Map<string, number>()
  judgement['experts.name'].forEach((expert, i) => {
    if (judgement['experts.ran'][i] && !judgement['experts.shadow'][i])
      runs.set(expert, judgement['experts.cost_ms'][i] ?? 0)
  })
  return runs
}

export function createTraffic(registry?: Registry): Traffic {
  const tallies = new Map<string, Tally>(strategies.map((strategy) => [strategy, new Tally()]))
  const drifts: KeptDrift[] = []
  const metrics = registry === undefined ? undefined : createMetrics(registry, tallies)
  return {
    judged(judgements) {
      for (const judgement of judgements) {
        tallies.get(judgement.strategy)?.add(judgement)
        metrics?.confidence.observe({ strategy: judgement.strategy }, judgement.confidence)
      }
    },
    circuit: (expert, circuit) => metrics?.circuit.set({ expert }, circuitStates.indexOf(circuit)),
    drifted(drift) {
      drifts.unshift(drift)
      drifts.splice(driftsKept)
      const { task, kind, expert } = drift
      metrics?.drifts.inc({ task, kind, judge: expert === '' ? 'fused' : expert })
    },
    byStrategy: () => Object.fromEntries(tallies),
    drifts: () => [...drifts],
  }
}

const figures = [
  { name: 'posts', help: 'Posts judged.', of: ({ posts }: Tally) => posts },
  {
    name: 'degraded',
    help: 'Posts judged without an expert that should have been heard.',
    of: ({ degraded }: Tally) => degraded,
  },
  {
    name: 'compute_seconds',
    help: 'Estimated compute of the experts that ran.',
    of: ({ costMs }: Tally) => costMs / 1_000,
  },
] as const

function createMetrics(registry: Registry, tallies: ReadonlyMap<string, Tally>) {
  const registers = [registry]
  for (const { name, help, of } of figures)
    new Counter({
      name: `tickertone_allocator_${name}_total`,
      help,
      labelNames: ['strategy'],
      registers,
      collect() {
        this.reset()
        for (const [strategy, tally] of tallies) this.inc({ strategy }, of(tally))
      },
    })
  new Counter({
    name: 'tickertone_allocator_expert_runs_total',
    help: 'Posts on which an expert ran.',
    labelNames: ['strategy', 'expert'],
    registers,
    collect() {
      this.reset()
      for (const [strategy, { runs }] of tallies)
        for (const [expert, posts] of Object.entries(runs)) this.inc({ strategy, expert }, posts)
    },
  })
  return {
    confidence: new Histogram({
      name: 'tickertone_allocator_confidence',
      help: 'The largest sentiment probability of a post.',
      labelNames: ['strategy'],
      buckets: [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99],
      registers,
    }),
    drifts: new Counter({
      name: 'tickertone_label_drifts_total',
      help: 'Drifts of accuracy that labels showed, of the fused result or an expert.',
      labelNames: ['task', 'kind', 'judge'],
      registers,
    }),
    circuit: new Gauge({
      name: 'tickertone_expert_circuit',
      help: 'Whether an expert is cut off: 0 asked, 1 being tried, 2 cut off.',
      labelNames: ['expert'],
      registers,
    }),
  }
}
