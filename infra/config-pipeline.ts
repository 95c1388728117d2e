/** The options of the pipeline: experts and their workers, allocation, shadow, weights. */
import Type from 'typebox'
import { section } from './config-section.ts'

function staticWeight(expert: string, posts: string, env: string, weight: number) {
  return Type.Number({
    env,
    minimum: 0,
    default: weight,
    description: `Static weight of the ${expert} expert in the fusion of ${posts}.`,
  })
}

export const PipelineOptions = Type.Object(
  {
    flushMs: Type.Integer({
      env: 'PIPELINE_FLUSH_MS',
      minimum: 10,
      maximum: 60_000,
      default: 1_000,
      description:
        'Time from one small batch of a partition to its next: the longest that a post waits for its block.',
    }),
    maxHeldMegabytes: Type.Number({
      env: 'PIPELINE_MAX_HELD_MEGABYTES',
      exclusiveMinimum: 0,
      default: 64,
      description:
        'Most bytes of records that are judged or written at once; above it nothing more is fetched until less is in hand.',
    }),
    maxHeldMs: Type.Integer({
      env: 'PIPELINE_MAX_HELD_MS',
      minimum: 1_000,
      default: 60_000,
      description: 'Longest that a batch may be in hand before nothing more is fetched beside it.',
    }),
    overridesFile: Type.String({
      env: 'PIPELINE_OVERRIDES_FILE',
      default: '',
      description:
        'CSV of your own names for instruments (overrides.csv); it wins over the gazetteers.',
    }),
    experts: Type.Array(Type.Enum(['linear', 'lexicon', 'guidance', 'minilm']), {
      env: 'PIPELINE_EXPERTS',
      minItems: 1,
      uniqueItems: true,
      default: ['linear', 'lexicon', 'minilm'],
      description:
        'Experts to load, comma separated. Without an encoder no worker process is started.',
    }),
    workers: Type.Object(
      {
        count: Type.Integer({
          env: 'WORKERS_COUNT',
          minimum: 0,
          maximum: 64,
          default: 0,
          description:
            'Worker processes of each encoder; 0: as many as the cores on the CPU, one on a GPU.',
        }),
        provider: Type.Enum(['cpu', 'cuda', 'webgpu'], {
          env: 'WORKERS_PROVIDER',
          default: 'cpu',
          description:
            'Where encoders run. Proven at start: same numbers as the CPU, and faster (docs/gpu.md).',
        }),
        modelFolder: Type.String({
          env: 'WORKERS_MODEL_FOLDER',
          default: '',
          description:
            "Folder of the encoder's artifact, for one that you made (float16 for a GPU); empty: the one that ships.",
        }),
        minSpeedup: Type.Number({
          env: 'WORKERS_MIN_SPEEDUP',
          minimum: 0,
          default: 1,
          description: 'A provider less than this many times as fast as the CPU is refused.',
        }),
        maxBatchTokens: Type.Integer({
          env: 'WORKERS_MAX_BATCH_TOKENS',
          minimum: 64,
          maximum: 1_048_576,
          default: 256,
          description:
            'Most tokens of a batch, padding included. Small ones suit a CPU (docs/decisions/0054); a GPU wants thousands.',
        }),
        queueTexts: Type.Integer({
          env: 'WORKERS_QUEUE_TEXTS',
          minimum: 256,
          maximum: 1_000_000,
          default: 4_096,
          description: 'Most texts that wait for an encoder; more are refused (OVERLOADED).',
        }),
        queueMegabytes: Type.Number({
          env: 'WORKERS_QUEUE_MEGABYTES',
          minimum: 32,
          default: 64,
          description: 'Most text that waits for an encoder.',
        }),
        withinMs: Type.Integer({
          env: 'WORKERS_WITHIN_MS',
          minimum: 1,
          maximum: 3_600_000,
          default: 30_000,
          description:
            'How long a live post waits for an encoder to begin before the other experts judge it without it; for ever where there are none.',
        }),
        memoryMegabytes: Type.Integer({
          env: 'WORKERS_MEMORY_MEGABYTES',
          minimum: 128,
          default: 1_024,
          description: 'Resident memory above which a worker is replaced, between two batches.',
        }),
      },
      section,
    ),
    allocator: Type.Object(
      {
        strategy: Type.Enum(['static', 'dynamic', 'multitask'], {
          env: 'ALLOCATOR_STRATEGY',
          default: 'dynamic',
          description:
            'How experts are chosen and weighed. static: all of them, fixed weights; dynamic: weights from feedback, experts while they are worth their price; multitask: one encoder for every task.',
        }),
        fusion: Type.Enum(['average', 'vote', 'stacking'], {
          env: 'ALLOCATOR_FUSION',
          default: 'average',
          description:
            "How the experts' distributions become one: weighted average, weighted vote, or logistic regression on log-probabilities (docs/decisions/0069).",
        }),
        streams: Type.Array(Type.String({ minLength: 1 }), {
          env: 'ALLOCATOR_STREAMS',
          default: [],
          description:
            'Other strategies for some streams, comma separated: kind=comment&language=en:dynamic, source=desk:static/vote. The first that matches counts; PUT /api/allocation changes them without a restart.',
        }),
        budgetMs: Type.Number({
          env: 'ALLOCATOR_BUDGET_MS',
          minimum: 0,
          default: 1.4,
          description:
            'Compute a post that the strategy dynamic may spend on average, milliseconds of one core; 0: the cheapest experts alone.',
        }),
        exploreShare: Type.Number({
          env: 'ALLOCATOR_EXPLORE_SHARE',
          minimum: 0,
          maximum: 1,
          default: 0.02,
          description:
            'Share of posts, drawn by their position, on which every expert runs whatever it costs.',
        }),
        weightsFile: Type.String({
          env: 'ALLOCATOR_WEIGHTS_FILE',
          default: '',
          description:
            'File that `tickertone fit` wrote for these experts: its weights replace those of the options pipeline.weights, its temperatures and stacking those that ship.',
        }),
        labelShare: Type.Number({
          env: 'ALLOCATOR_LABEL_SHARE',
          minimum: 0,
          maximum: 1,
          default: 0.02,
          description: 'Share of scored posts that enter the label queue.',
        }),
        labelUniformShare: Type.Number({
          env: 'ALLOCATOR_LABEL_UNIFORM_SHARE',
          minimum: 0,
          maximum: 1,
          default: 0.3,
          description:
            'Share of the label queue that is drawn uniformly; the rest goes to posts whose label would teach most.',
        }),
      },
      section,
    ),
    shadow: Type.Object(
      {
        expert: Type.String({
          env: 'SHADOW_EXPERT',
          default: '',
          description:
            'Name of an expert that is listened to without effect; empty: none. One that ships, or the name in the manifest of shadow.modelFolder.',
        }),
        modelFolder: Type.String({
          env: 'SHADOW_MODEL_FOLDER',
          default: '',
          description: 'Folder of the artifact of a shadow encoder that does not ship.',
        }),
        share: Type.Number({
          env: 'SHADOW_SHARE',
          minimum: 0,
          maximum: 1,
          default: 0.1,
          description: 'Share of posts, drawn by their position, on which the shadow runs.',
        }),
      },
      section,
    ),
    weights: Type.Object(
      {
        news: Type.Object(
          {
            linear: staticWeight('linear', 'news', 'PIPELINE_WEIGHT_NEWS_LINEAR', 0.15),
            lexicon: staticWeight('lexicon', 'news', 'PIPELINE_WEIGHT_NEWS_LEXICON', 0.05),
            guidance: staticWeight('guidance', 'news', 'PIPELINE_WEIGHT_NEWS_GUIDANCE', 0.1),
            minilm: staticWeight('minilm', 'news', 'PIPELINE_WEIGHT_NEWS_MINILM', 0.8),
          },
          section,
        ),
        comment: Type.Object(
          {
            linear: staticWeight('linear', 'comments', 'PIPELINE_WEIGHT_COMMENT_LINEAR', 0),
            lexicon: staticWeight('lexicon', 'comments', 'PIPELINE_WEIGHT_COMMENT_LEXICON', 0.5),
            guidance: staticWeight(
              'guidance',
              'comments',
              'PIPELINE_WEIGHT_COMMENT_GUIDANCE',
              0.25,
            ),
            minilm: staticWeight('minilm', 'comments', 'PIPELINE_WEIGHT_COMMENT_MINILM', 0.5),
          },
          section,
        ),
      },
      section,
    ),
  },
  section,
)
