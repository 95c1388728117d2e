/** Labels for tests of the weights: three experts, one of them for the sentiment alone. */
import fc from 'fast-check'
import { sentiments, type Task, topicLabels } from '../../contract.ts'
import type { FeedbackRecord } from '../../feedback/record.ts'
import { distributions } from '../../testing/distributions.ts'
import type { WeightModel } from './model.ts'

export const model: WeightModel = {
  experts: [
    { name: 'minilm', version: '3', tasks: ['sentiment', 'topic'] },
    { name: 'linear', version: '2', tasks: ['sentiment', 'topic'] },
    { name: 'lexicon', version: '1', tasks: ['sentiment'] },
  ],
  prior: {
    news: { minilm: 0.8, linear: 0.15, lexicon: 0.05 },
    comment: { minilm: 0.5, linear: 0, lexicon: 0.5 },
  },
}

const right = [0.8, 0.1, 0.1]
const wrong = [0.1, 0.8, 0.1]

export type LabelChanges = Partial<Omit<FeedbackRecord, 'post' | 'context'>> & {
  readonly id?: string
  readonly context?: Partial<FeedbackRecord['context']>
}

/** The label 0 of a tweet: minilm has it right, the others wrong. */
export function labelled({ id = 'p1', context, ...changes }: LabelChanges = {}): FeedbackRecord {
  return {
    format: 1,
    post: { id, version: 1, logTopic: 'posts@0', partition: 0, offset: 1 },
    task: 'sentiment',
    label: 0,
    labeller: 'ann',
    origin: 'uniform',
    selectionProbability: 0.01,
    context: { source: 'desk', kind: 'news', language: 'en', textLength: 90, ...context },
    strategy: 'dynamic',
    fused: right,
    experts: [
      { name: 'minilm', version: '3', probabilities: right, ran: true, shadow: false },
      { name: 'linear', version: '2', probabilities: wrong, ran: true, shadow: false },
      { name: 'lexicon', version: '1', probabilities: wrong, ran: false, shadow: false },
    ],
    ...changes,
  }
}

export function bytesOf(record: unknown): Buffer {
  return Buffer.from(JSON.stringify(record))
}

/** Records as the topic may hold them: repeated, changed, of other versions, and what is none. */
export const topicRecords: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom<Task>('sentiment', 'topic').chain(recordOf) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.jsonValue().map(bytesOf) },
)

function recordOf(task: Task): fc.Arbitrary<Buffer> {
  const labels = task === 'sentiment' ? sentiments.length : topicLabels.length
  const said = distributions(labels)
  return fc
    .record({
      id: fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5'),
      label: fc.nat({ max: labels - 1 }),
      labeller: fc.constantFrom('ann', 'bob'),
      origin: fc.constantFrom('uniform', 'informative', 'chosen'),
      context: fc.record({
        kind: fc.constantFrom('news', 'comment'),
        language: fc.constantFrom('en', 'de', '<script>'),
        textLength: fc.nat({ max: 300 }),
      }),
      fused: said,
      experts: fc.record({
        minilm: fc.record({ version: fc.constantFrom('2', '3'), probabilities: said }),
        linear: fc.record({ version: fc.constant('2'), probabilities: said }),
      }),
    })
    .map(({ experts, ...changes }) =>
      bytesOf(
        labelled({
          ...changes,
          task,
          experts: Object.entries(experts).map(([name, expert]) => ({
            name,
            ...expert,
            ran: true,
            shadow: false,
          })),
        }),
      ),
    )
}
