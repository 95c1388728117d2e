/** What the pipeline promises to alerts and dashboards: labels, and the row of the `analyses` table. */
import Type from 'typebox'

export const sentiments = ['negative', 'neutral', 'positive'] as const
export type Sentiment = (typeof sentiments)[number]

/** In the order of every topic probability vector. */
export const topicLabels = [
  'Analyst Update',
  'Company | Product News',
  'Currencies',
  'Dividend',
  'Earnings',
  'Energy | Oil',
  'Fed | Central Banks',
  'Financials',
  'General News | Opinion',
  'Gold | Metals | Materials',
  'IPO',
  'Legal | Regulation',
  'M&A | Investments',
  'Macro',
  'Markets',
  'Personnel Change',
  'Politics',
  'Stock Commentary',
  'Stock Movement',
  'Treasuries | Corporate Debt',
] as const

export const tasks = ['sentiment', 'topic'] as const
export type Task = (typeof tasks)[number]

/** In the order of every probability vector of the task. */
export const labelsOf: Readonly<Record<Task, readonly string[]>> = {
  sentiment: sentiments,
  topic: topicLabels,
}

/**
 * static: every expert, fixed weights. dynamic: weights learned from feedback, experts one after another while they are worth their price.
 * multitask: one encoder whose heads judge every task in one run.
 */
export const strategies = ['static', 'dynamic', 'multitask'] as const
export type Strategy = (typeof strategies)[number]

/** How the experts' distributions become one: weighted average, weighted vote, or logistic regression on their log-probabilities. */
export const fusionMethods = ['average', 'vote', 'stacking'] as const
export type FusionMethod = (typeof fusionMethods)[number]

/** Why a post stands in the label queue: drawn like any other, or because its label would teach much. */
export const labelDraws = ['uniform', 'informative'] as const
export type LabelDraw = (typeof labelDraws)[number]

export const outcomes = ['scored', 'duplicate', 'dead', 'unsupported', 'gap'] as const

/**
 * One row of `analyses`. Identity: (log_topic, partition, offset, ordinal); ordinal 0 is the post itself, 1..n its mentions.
 * Times are 'YYYY-MM-DD hh:mm:ss.SSS' in UTC, as ClickHouse writes DateTime64(3). A row of outcome `gap` stands at the last
 * offset of its hole and covers gap_from..offset.
 */
export const AnalysisRow = Type.Object({
  log_topic: Type.String({ description: "The topic with its epoch: 'posts@0'." }),
  partition: Type.Integer(),
  offset: Type.Integer(),
  ordinal: Type.Integer(),
  block_start: Type.Integer({ description: 'First offset of the block this row was written in.' }),
  gap_from: Type.Integer({ description: 'First offset of a gap row; otherwise equal to offset.' }),
  outcome: Type.Enum(outcomes),
  reason: Type.String(),
  post_id: Type.String(),
  version: Type.Integer({
    description:
      '1 for the first text of an id; 0 where the record is no post, or one that no expert may read.',
  }),
  source: Type.String(),
  kind: Type.String(),
  status: Type.String(),
  supersedes: Type.String(),
  title: Type.String(),
  text: Type.String(),
  content_hash: Type.String({
    description:
      'Hex SHA-256 prefix (16) of text, title and status: tells a duplicate from a new version.',
  }),
  url: Type.String(),
  author: Type.String(),
  language: Type.String(),
  language_confidence: Type.Number({ description: '1 where the source declares the language.' }),
  history: Type.Boolean(),
  signature: Type.Array(Type.Integer(), { description: 'MinHash over tokens (32-bit values).' }),
  instrument: Type.String({ description: "Instrument id; '' for ordinal 0." }),
  ticker: Type.String({ description: 'As written in the text.' }),
  relevance: Type.Number(),
  sentiment_scope: Type.String({ description: "'post' (inherited) or 'entity'." }),
  topic: Type.String(),
  topic_probabilities: Type.Array(Type.Number(), {
    description: 'In the order of topicLabels; empty when not scored.',
  }),
  negative: Type.Number(),
  neutral: Type.Number(),
  positive: Type.Number(),
  score: Type.Number({ description: 'P(positive) - P(negative)' }),
  reference_score: Type.Number({ description: 'The score with fixed reference weights.' }),
  confidence: Type.Number({ description: 'The largest sentiment probability.' }),
  'experts.name': Type.Array(Type.String()),
  'experts.version': Type.Array(Type.String()),
  'experts.task': Type.Array(Type.String()),
  'experts.weight': Type.Array(Type.Number()),
  'experts.probabilities': Type.Array(Type.Array(Type.Number())),
  'experts.ran': Type.Array(Type.Boolean()),
  'experts.run_probability': Type.Array(Type.Number()),
  'experts.shadow': Type.Array(Type.Boolean(), {
    description: 'It was only listened to: without effect on the result.',
  }),
  'experts.cost_ms': Type.Array(Type.Number(), {
    description:
      'Estimated compute of the run, milliseconds: of the expert, the same for each of its tasks; 0 where it did not run.',
  }),
  strategy: Type.String(),
  fusion: Type.String({
    description:
      "How the sentiments were fused: average, vote, or stacking; '' when not scored. What was done, which need not be what the plan asked for.",
  }),
  topic_fusion: Type.String({ description: "How the topics were; '' without a topic." }),
  sentiment_temperature: Type.Number({
    description: 'Of the calibration after fusion; 1: none; 0 when not scored.',
  }),
  topic_temperature: Type.Number(),
  degraded: Type.Boolean(),
  weights_version: Type.Integer({
    description: 'Offset of `feedback` that the weights include; -1 for none.',
  }),
  label_draw: Type.String({
    description: "uniform or informative: the post stands in the label queue; '' otherwise.",
  }),
  label_probability: Type.Number({
    description:
      'P(the post came into the queue, by either draw), given what is in the row; 0 without a draw.',
  }),
  published_at: Type.String(),
  original_published_at: Type.String({
    description: "The source's time where a replay moved published_at; equal to it otherwise.",
  }),
  appended_at: Type.String(),
  scored_at: Type.String(),
})
export type AnalysisRow = Type.Static<typeof AnalysisRow>

/** The experts that vote. One that stands for another has taken over its weight. */
export const ExpertSet = Type.Object({
  experts: Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
    minItems: 1,
    maxItems: 100,
    uniqueItems: true,
  }),
  /** By name of the expert: the name under which weights and calibration know it. */
  standsFor: Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: 100 })),
})
export type ExpertSet = Type.Static<typeof ExpertSet>

/** Offsets `from` (included) to `to` (excluded) that show the rows of a re-scoring instead of those of `analyses`. */
export const ServedRange = Type.Object({
  logTopic: Type.String({ minLength: 1 }),
  partition: Type.Integer({ minimum: 0 }),
  from: Type.Integer({ minimum: 0 }),
  to: Type.Integer({ minimum: 0 }),
  revision: Type.Integer({ minimum: 1 }),
})
export type ServedRange = Type.Static<typeof ServedRange>

const Change = {
  action: Type.Enum(['promote', 'rollback']),
  /** The expert that is promoted, or was, and the one whose place it takes; '' where it takes nobody's. */
  expert: Type.String({ minLength: 1, maxLength: 100 }),
  replaces: Type.String({ maxLength: 100 }),
  /** Who votes afterwards. */
  set: ExpertSet,
  /** Offset of the record `serving` that this change builds on; -1 for none. Another record in force makes it void. */
  after: Type.Integer({ minimum: -1 }),
  logTopic: Type.String({ minLength: 1 }),
  /** appended_at, milliseconds since 1970, from which posts are re-scored. */
  windowFrom: Type.Integer({ minimum: 0 }),
  by: Type.String({ minLength: 1, maxLength: 100 }),
  note: Type.String({ maxLength: 1_000 }),
}

/** A record of `control`: a re-scoring begins. Its offset + 1 is the number of the revision. */
export const RescoringRecord = Type.Object({
  type: Type.Literal('serving.rescoring'),
  ...Change,
  /** The first offset to re-score, by partition. */
  from: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
})
export type RescoringRecord = Type.Static<typeof RescoringRecord>

/** A record of `control`: another set of experts votes from here on, and what it re-scored is what everybody sees. */
export const ServingRecord = Type.Object({
  type: Type.Literal('serving'),
  ...Change,
  revision: Type.Integer({ minimum: 1 }),
  /** Who voted before it. */
  before: ExpertSet,
  /** The first offset that the new set judges live, by partition. */
  position: Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 }),
  /** All ranges that show a re-scoring from now on. */
  coverage: Type.Array(ServedRange),
  /** Labels of the random share that hold the expert's probabilities. */
  labels: Type.Integer({ minimum: 0 }),
  /** Promoted with fewer labels than it takes. */
  forced: Type.Boolean(),
})
export type ServingRecord = Type.Static<typeof ServingRecord>
