/**
 * A record of the topic `feedback`: a true label of a post, with all that the fold over the topic needs. Whoever appends one has run the experts that
 * had not run on the post, so what the experts said stands here for all of them.
 */
import Type from 'typebox'
import { kinds } from '../../ingest/contract.ts'
import { labelDraws, strategies, tasks } from '../contract.ts'

/** How the post came to be labelled: drawn for the queue, or chosen by whoever labelled it. */
export const labelOrigins = [...labelDraws, 'chosen'] as const
export type LabelOrigin = (typeof labelOrigins)[number]

/** What the columns of the table `labels` hold: a record beyond them would stop everything behind it. */
const UInt32 = { maximum: 2 ** 32 - 1 }

/** What one expert says of the post. */
export const Testimony = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 100 }),
  version: Type.String({ minLength: 1, maxLength: 100 }),
  /** In the order of the task's labels, calibrated. */
  probabilities: Type.Array(Type.Number({ minimum: 0, maximum: 1 }), { minItems: 2 }),
  /** When the post was scored. */
  ran: Type.Boolean(),
  shadow: Type.Boolean(),
})
export type Testimony = Type.Static<typeof Testimony>

export const FeedbackRecord = Type.Object({
  /** Of this shape. */
  format: Type.Literal(1),
  post: Type.Object({
    id: Type.String({ minLength: 1 }),
    version: Type.Integer({ minimum: 1, ...UInt32 }),
    logTopic: Type.String({ minLength: 1 }),
    partition: Type.Integer({ minimum: 0, ...UInt32 }),
    offset: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  }),
  task: Type.Enum(tasks),
  /** Index into the task's labels. */
  label: Type.Integer({ minimum: 0 }),
  labeller: Type.String({ minLength: 1, maxLength: 100 }),
  origin: Type.Enum(labelOrigins),
  /** P(the post came into the queue, by either draw); null where it was chosen. */
  selectionProbability: Type.Union([Type.Number({ exclusiveMinimum: 0, maximum: 1 }), Type.Null()]),
  context: Type.Object({
    source: Type.String(),
    kind: Type.Enum(kinds),
    language: Type.String(),
    /** UTF-16 units of text and title. */
    textLength: Type.Integer({ minimum: 0 }),
  }),
  strategy: Type.Enum(strategies),
  /** The result as it was scored. For figures only: the system's own verdict never updates a weight. */
  fused: Type.Array(Type.Number({ minimum: 0, maximum: 1 })),
  /** Every expert that is loaded and judges the task. */
  experts: Type.Array(Testimony, { minItems: 1 }),
})
export type FeedbackRecord = Type.Static<typeof FeedbackRecord>
