/** Who judges what: GET /api/allocation says it, PUT /api/allocation changes the streams on every instance. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { AppError, describeError } from '../../infra/errors.ts'
import { kinds } from '../../ingest/contract.ts'
import type { Budget, Costs } from '../allocator/price.ts'
import type { StreamControl } from '../allocator/stream-control.ts'
import type { StreamAllocator } from '../allocator/streams.ts'
import type { StrategyTraffic, Traffic } from '../allocator/traffic.ts'
import type { KeptDrift, WeightKeeper } from '../allocator/weights/keeper.ts'
import type { WeightBook } from '../allocator/weights.ts'
import { fusionMethods, strategies, tasks } from '../contract.ts'
import { circuitStates, type GuardedExpert } from '../experts/breaker.ts'
import type { ContextStatus } from '../monitor/context.ts'
import type { StreamMonitor } from '../monitor/monitor.ts'
import { detectorPhases } from '../monitor/shift-detector.ts'

const Settings = {
  strategy: Type.Enum(strategies, { description: 'Of posts that no stream takes.' }),
  fusion: Type.Enum(fusionMethods),
  streams: Type.Array(Type.String({ minLength: 1, maxLength: 500 }), {
    maxItems: 100,
    description: 'Like kind=comment&language=en:dynamic; the first that matches counts.',
  }),
}

export const StreamsChange = Type.Object(
  {
    streams: Settings.streams,
    strategy: Type.Optional(Settings.strategy),
    fusion: Type.Optional(Settings.fusion),
  },
  { additionalProperties: false },
)
export type StreamsChange = Type.Static<typeof StreamsChange>

const AllocatedExpert = Type.Object({
  name: Type.String(),
  version: Type.String(),
  tasks: Type.Array(Type.Enum(tasks)),
  shadow: Type.Boolean(),
  circuit: Type.Enum(circuitStates),
  failure: Type.Union([Type.String(), Type.Null()], { description: 'Why it cannot answer now.' }),
  costMs: Type.Number({ description: 'Estimated compute of a run on a text of 100 characters.' }),
})

const StrategyFigures = Type.Object(
  {
    posts: Type.Integer(),
    share: Type.Number({ description: 'Of the posts judged.' }),
    degraded: Type.Number({ description: 'Share of its posts.' }),
    costMs: Type.Number({ description: 'Estimated compute a post.' }),
    confidence: Type.Number({ description: 'Mean.' }),
    runs: Type.Record(Type.String(), Type.Number(), {
      description: 'Share of its posts by expert.',
    }),
  },
  { description: 'Since this process started.' },
)

const ContextWeights = Type.Object(
  {
    task: Type.Enum(tasks),
    kind: Type.Enum(kinds),
    language: Type.String(),
    textLength: Type.Integer(),
    weights: Type.Record(Type.String(), Type.Number()),
  },
  { description: 'What dynamic gives the experts now on such a text.' },
)

const LabelDrift = Type.Object({
  task: Type.Enum(tasks),
  kind: Type.Enum(kinds),
  judge: Type.String({ description: "'fused', or an expert." }),
  offset: Type.Integer({ description: 'Of the record of `feedback` that showed it.' }),
  at: Type.String({ description: 'When the log took that record; RFC 3339.' }),
  before: Type.Number({ description: 'Error rate.' }),
  since: Type.Number(),
  verdicts: Type.Number({ description: 'Labels since it began, as far as can be told.' }),
})
type LabelDrift = Type.Static<typeof LabelDrift>

const StreamContext = Type.Object(
  {
    kind: Type.Enum(kinds),
    language: Type.String({ description: "'any': of posts in any language." }),
    posts: Type.Integer({ description: 'Since this process started, history without.' }),
    signals: Type.Array(
      Type.Object({
        signal: Type.String(),
        phase: Type.Enum(detectorPhases),
        reference: Type.Union([Type.Number(), Type.Null()], {
          description: 'Mean over the posts that it is compared with; null before there are any.',
        }),
        window: Type.Union([Type.Number(), Type.Null()], {
          description: 'Mean over the last posts; null before there are any.',
        }),
        strain: Type.Number({ description: 'How far they are apart: 1 is a shift.' }),
        shifts: Type.Integer(),
      }),
    ),
    lastChange: Type.Union([
      Type.Null(),
      Type.Object({
        atPost: Type.Integer({ description: 'How many posts had come by then.' }),
        signals: Type.Array(
          Type.Object({ signal: Type.String(), before: Type.Number(), after: Type.Number() }),
        ),
      }),
    ]),
  },
  { description: 'What the monitor sees of posts of a kind and language without any labels.' },
)
type StreamContext = Type.Static<typeof StreamContext>

export const Allocation = Type.Object({
  ...Settings,
  controlOffset: Type.Integer({
    description: 'Of the record of `control` that set them; -1 where the config did.',
  }),
  experts: Type.Array(AllocatedExpert),
  strategies: Type.Record(Type.String(), StrategyFigures),
  budget: Type.Object({
    budgetMs: Type.Number({ description: 'Compute a post.' }),
    price: Type.Union([Type.Number(), Type.Null()], {
      description: 'What a millisecond must gain now; null: nobody but the cheapest runs.',
    }),
    overloaded: Type.Boolean(),
  }),
  weights: Type.Object({
    version: Type.Integer({
      description: 'Offset of the last record of `feedback` in them; -1 for none.',
    }),
    contexts: Type.Array(ContextWeights),
  }),
  feedback: Type.Object({
    learned: Type.Integer({ description: 'Labels that taught the weights.' }),
    repeated: Type.Integer(),
    skipped: Type.Integer({ description: 'Records that are no feedback.' }),
    failure: Type.Union([Type.String(), Type.Null()], { description: 'Why it learns no more.' }),
    drifts: Type.Array(LabelDrift, {
      description: 'The last drifts of accuracy folded by this process, the newest first.',
    }),
  }),
  stream: Type.Array(StreamContext),
})
export type Allocation = Type.Static<typeof Allocation>

export interface AllocationRouteDeps {
  readonly experts: readonly GuardedExpert[]
  readonly shadows: readonly GuardedExpert[]
  readonly allocator: StreamAllocator
  readonly control: StreamControl
  readonly costs: Costs
  readonly traffic: Traffic
  readonly budget: Budget
  readonly budgetMs: number
  readonly keeper: Pick<WeightKeeper, 'book' | 'counts' | 'health'>
  readonly monitor: Pick<StreamMonitor, 'status'>
}

export function allocationRoutes(deps: AllocationRouteDeps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/api/allocation',
      {
        schema: {
          summary: 'Streams and strategies in force, experts, and what they do',
          response: { 200: Allocation },
        },
      },
      async () => describe(deps),
    )
    app.put(
      '/api/allocation',
      {
        schema: {
          summary: 'Change the streams without a restart',
          body: StreamsChange,
          response: { 200: Allocation },
        },
      },
      async ({ body }) => {
        const { strategy, fusion } = deps.allocator.settings
        await deps.control.change({ strategy, fusion, ...body }).catch(asRefusal)
        return describe(deps)
      },
    )
  }
}

/** A tweet and an article. */
const contextLengths = [100, 2_000]

function weightsOf(book: WeightBook): Allocation['weights'] {
  const contexts = tasks.flatMap((task) =>
    kinds.flatMap((kind) =>
      contextLengths.map((textLength) => {
        const context = { task, kind, language: 'en', textLength }
        return { ...context, weights: { ...book.weights(context) } }
      }),
    ),
  )
  return { version: book.version, contexts }
}

/** What the config may not say, a request may not either. */
function asRefusal(error: unknown): never {
  if (error instanceof AppError && error.code === 'CONFIG')
    throw new AppError('USAGE', error.message, { cause: error })
  throw error
}

const typicalLength = 100

function describe(deps: AllocationRouteDeps): Allocation {
  const { experts, shadows, allocator, control, costs } = deps
  const { strategy, fusion, streams } = allocator.settings
  const expertOf = (shadow: boolean) => (expert: GuardedExpert) => {
    const failure = expert.health()
    return {
      name: expert.name,
      version: expert.version,
      tasks: [...expert.tasks],
      shadow,
      circuit: expert.circuit(),
      failure: failure === undefined ? null : describeError(failure),
      costMs: costs.msOf(expert.name, typicalLength),
    }
  }
  const traffic = deps.traffic.byStrategy()
  const total = Object.values(traffic).reduce((sum, { posts }) => sum + posts, 0)
  return {
    strategy,
    fusion,
    streams: [...streams],
    controlOffset: control.offset,
    experts: [...experts.map(expertOf(false)), ...shadows.map(expertOf(true))],
    strategies: Object.fromEntries(
      Object.entries(traffic).map(([name, figures]) => [name, sharesOf(figures, total)]),
    ),
    budget: {
      budgetMs: deps.budgetMs,
      price: finiteOrNull(deps.budget.price()),
      overloaded: deps.budget.isOverloaded(),
    },
    weights: weightsOf(deps.keeper.book()),
    feedback: feedbackOf(deps),
    stream: deps.monitor.status().map(streamContextOf),
  }
}

function feedbackOf({ keeper, traffic }: AllocationRouteDeps): Allocation['feedback'] {
  const failure = keeper.health()
  return {
    ...keeper.counts(),
    failure: failure === undefined ? null : describeError(failure),
    drifts: traffic.drifts().map(labelDriftOf),
  }
}

function labelDriftOf({ expert, at, ...drift }: KeptDrift): LabelDrift {
  const judge = expert === '' ? 'fused' : expert
  return { ...drift, judge, at: new Date(at).toISOString() }
}

function streamContextOf({ signals, lastChange, ...context }: ContextStatus): StreamContext {
  return {
    ...context,
    signals: signals.map(({ reference, window, ...state }) => ({
      ...state,
      reference: finiteOrNull(reference),
      window: finiteOrNull(window),
    })),
    lastChange:
      lastChange === undefined ? null : { ...lastChange, signals: [...lastChange.signals] },
  }
}

/** JSON has no other numbers. */
function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function sharesOf({ posts, degraded, costMs, confidence, runs }: StrategyTraffic, total: number) {
  const aPost = (sum: number) => (posts === 0 ? 0 : sum / posts)
  return {
    posts,
    share: total === 0 ? 0 : posts / total,
    degraded: aPost(degraded),
    costMs: aPost(costMs),
    confidence: aPost(confidence),
    runs: Object.fromEntries(Object.entries(runs).map(([expert, count]) => [expert, aPost(count)])),
  }
}
