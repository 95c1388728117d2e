/** Labels over HTTP on the real log, store and experts: what becomes of each, and what stands in the topic. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { AppError } from '../../infra/errors.ts'
import { topics } from '../../infra/log/log.ts'
import { silentLogger } from '../../infra/logger.ts'
import type { Expert } from '../experts/expert.ts'
import { type LabellingFixture, logTopic, startLabelling } from './labelling.fixture.ts'
import { NewestLabels } from './newest-labels.ts'
import { createFeedback } from './service.ts'

const falls = 'Shares fall as the company cuts its outlook'
const label = (fields: Readonly<Record<string, unknown>> = {}) => ({
  post_id: 'first',
  task: 'sentiment',
  label: 'negative',
  labeller: 'ann',
  ...fields,
})

const steady: Expert = {
  name: 'steady',
  version: '1',
  tasks: ['sentiment'],
  classify: async (batch) => batch.map(() => ({ sentiment: [0.2, 0.3, 0.5] })),
  close: async () => {},
}

describe('POST /api/feedback', () => {
  let fixture: LabellingFixture
  let failure: Error | undefined

  /** An expert that fails when it is told to. */
  const failing = (expert: Expert): Expert => ({
    ...expert,
    classify: async (batch, call) => {
      if (failure !== undefined) throw failure
      if (batch.some(({ text }) => text.includes('poison')))
        return batch.map(() => ({ lethal: 'ended its reader' }))
      return expert.classify(batch, call)
    },
  })

  before(async () => {
    fixture = await startLabelling({
      rates: { share: 0, uniformShare: 0 },
      experts: (loaded) =>
        loaded.map((expert) => (expert.name === 'lexicon' ? failing(expert) : expert)),
    })
    await fixture.score({ id: 'first', text: falls }, { id: 'first', text: `${falls} again` })
  })
  after(() => fixture.close())

  const give = (fields: Readonly<Record<string, unknown>> = {}) =>
    fixture.post('/api/feedback', label(fields))
  const end = async () => (await fixture.log.endOffsets(topics.feedback))[0] ?? 0

  it('appends a record that stands for itself, with every expert heard', async () => {
    const { status, body } = await give()
    assert.equal(status, 202)
    assert.deepEqual(body, {
      accepted: 1,
      refused: 0,
      retry: 0,
      rows: [{ index: 0, verdict: 'accepted', offset: 0, repeated: false }],
    })
    const [record] = await fixture.records()
    assert.deepEqual(record?.post, { id: 'first', version: 2, logTopic, partition: 0, offset: 1 })
    assert.deepEqual(
      [record?.task, record?.label, record?.labeller, record?.origin, record?.selectionProbability],
      ['sentiment', 0, 'ann', 'chosen', null],
    )
    assert.deepEqual(record?.context, {
      source: 'test',
      kind: 'news',
      language: 'en',
      textLength: `${falls} again`.length,
    })
    assert.deepEqual(
      record?.experts.map(({ name, ran, shadow }) => [name, ran, shadow]),
      [
        ['linear', true, false],
        ['lexicon', false, true],
      ],
    )
    const [row] = await fixture.store.query<{ fused: number[]; linear: number[] }>(
      "SELECT [negative, neutral, positive] AS fused, experts.probabilities[1] AS linear FROM analyses WHERE post_id = 'first' AND version = 2 AND ordinal = 0",
    )
    assert.deepEqual(record?.fused.map(Math.fround), row?.fused.map(Math.fround))
    assert.deepEqual(record?.experts[0]?.probabilities, row?.linear.map(Math.fround))
  })

  it('labels the version that is named', async () => {
    await give({ version: 1 })
    assert.equal((await fixture.records()).at(-1)?.post.offset, 0)
  })

  it('answers the first offset to a label that is repeated, before and after the table has it', async () => {
    const [first, ...others] = await Promise.all(
      Array.from({ length: 20 }, () => give({ labeller: 'again' })),
    )
    const offset = first?.body.rows[0]?.offset
    assert.ok(others.every(({ body }) => body.rows[0]?.offset === offset))
    assert.equal((await end()) - 1, offset)
    await fixture.tabled()
    const batch = await fixture.post(
      '/api/feedback',
      Array(1_000).fill(label({ labeller: 'again' })),
    )
    assert.equal(batch.body.accepted, 1_000)
    assert.ok(batch.body.rows.every((row) => row.offset === offset && row.repeated))
    assert.equal((await end()) - 1, offset)
  })

  it('appends a label that was changed, also back again', async () => {
    const from = await end()
    const labels = ['positive', 'positive', 'neutral', 'positive'].map((name) =>
      label({ labeller: 'unsure', label: name }),
    )
    const { body } = await fixture.post('/api/feedback', labels)
    assert.deepEqual(
      body.rows.map(({ offset, repeated }) => [offset, repeated]),
      [
        [from, false],
        [from, true],
        [from + 1, false],
        [from + 2, false],
      ],
    )
  })

  it('records two labellers who disagree', async () => {
    const from = await end()
    await fixture.post('/api/feedback', [
      label({ labeller: 'bo', label: 'positive' }),
      label({ labeller: 'cy', label: 'neutral' }),
    ])
    const records = (await fixture.records()).slice(from)
    assert.deepEqual(
      records.map((record) => [record?.labeller, record?.label]),
      [
        ['bo', 2],
        ['cy', 1],
      ],
    )
  })

  it('takes the label of a topic, of the experts that judge topics', async () => {
    await give({ task: 'topic', label: 'Earnings' })
    const record = (await fixture.records()).at(-1)
    assert.deepEqual(
      record?.experts.map(({ name, probabilities }) => [name, probabilities.length]),
      [['linear', 20]],
    )
  })

  const refused: readonly {
    name: string
    fields: object
    status: number
    reason: string
  }[] = [
    { name: 'an unknown post', fields: { post_id: 'nobody' }, status: 404, reason: 'unknown-post' },
    { name: 'an unknown version', fields: { version: 9 }, status: 404, reason: 'unknown-version' },
    { name: 'an unknown task', fields: { task: 'irony' }, status: 400, reason: 'unknown-task' },
    {
      name: 'an unknown label',
      fields: { label: 'Earnings' },
      status: 400,
      reason: 'unknown-label',
    },
    {
      name: 'a label that is a number',
      fields: { label: 0 },
      status: 400,
      reason: 'unknown-label',
    },
    { name: 'an unknown field', fields: { score: 1 }, status: 400, reason: 'invalid' },
    { name: 'a version below 1', fields: { version: 0 }, status: 400, reason: 'invalid' },
    { name: 'no post', fields: { post_id: '' }, status: 400, reason: 'invalid' },
    {
      name: 'a labeller with control characters',
      fields: { labeller: 'a\u001b[31m' },
      status: 400,
      reason: 'invalid',
    },
    {
      name: 'a labeller that reorders',
      fields: { labeller: 'a\u202eb' },
      status: 400,
      reason: 'invalid',
    },
    {
      name: 'a labeller that is a lone surrogate',
      fields: { labeller: '\ud800' },
      status: 400,
      reason: 'invalid',
    },
    {
      name: 'a labeller of 101 characters',
      fields: { labeller: 'x'.repeat(101) },
      status: 400,
      reason: 'invalid',
    },
  ]
  for (const { name, fields, status, reason } of refused)
    it(`refuses ${name}: ${status}`, async () => {
      const from = await end()
      const answer = await give({ ...fields })
      assert.deepEqual([answer.status, answer.body.rows[0]?.reason], [status, reason])
      assert.equal(answer.body.rows[0]?.verdict, 'refused')
      assert.equal(answer.body.error?.code, 'FEEDBACK')
      assert.doesNotMatch(JSON.stringify(answer.body), /irony|\\u001b|\u202e|xxxx/)
      assert.equal(await end(), from)
    })

  it('refuses a body of 10 MB', async () => {
    assert.equal((await give({ labeller: 'x'.repeat(10e6) })).status, 413)
  })

  it('refuses more labels than a request may hold', async () => {
    assert.equal((await fixture.post('/api/feedback', Array(1_001).fill(label()))).status, 413)
  })

  it('says of posts without a result what they are', async () => {
    await fixture.score(
      { id: 'chinese', text: '脸书股价因广告商抵制而下跌' },
      { id: 'erased', text: falls },
    )
    await fixture.store.command(
      "ALTER TABLE analyses UPDATE text = '', title = '' WHERE post_id = 'erased' SETTINGS mutations_sync = 1",
    )
    const answers = [await give({ post_id: 'chinese' }), await give({ post_id: 'erased' })]
    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.rows[0]?.reason]),
      [
        [422, 'unsupported'],
        [410, 'erased'],
      ],
    )
    assert.match(answers[0]?.body.error?.message ?? '', /no expert reads 'zh'/)
  })

  it('judges each label of a mixed NDJSON by itself', async () => {
    const lines = [
      JSON.stringify(label({ labeller: 'lines' })),
      '',
      '{"post_id": "first", secret',
      JSON.stringify(label({ labeller: 'x'.repeat(5_000) })),
      JSON.stringify(label({ post_id: 'nobody' })),
      `${JSON.stringify(label({ labeller: 'lines', label: 'neutral' }))}\r`,
    ]
    const { status, body } = await fixture.postLines('/api/feedback', lines.join('\n'))
    assert.equal(status, 200)
    assert.deepEqual(
      body.rows.map(({ index, verdict, reason }) => [index, verdict, reason]),
      [
        [0, 'accepted', undefined],
        [1, 'refused', 'invalid'],
        [2, 'refused', 'invalid'],
        [3, 'refused', 'unknown-post'],
        [4, 'accepted', undefined],
      ],
    )
    assert.ok(!JSON.stringify(body).includes('secret'))
  })

  it('refuses other media types, and no body', async () => {
    const form = await fetch(`${fixture.url}/api/feedback`, { method: 'POST', body: 'post_id=1' })
    assert.equal(form.status, 415)
    const empty = await fixture.postLines('/api/feedback', '')
    assert.deepEqual([empty.status, empty.body.accepted], [202, 0])
  })

  it('lets a label that waits for its post hold up no other', async () => {
    await fixture.score({ id: 'ready', text: falls })
    await fixture.pausePipeline()
    await fixture.append({ id: 'late', text: falls })
    const answered: string[] = []
    const early = give({ post_id: 'late' }).then(({ status }) => answered.push(`late ${status}`))
    const ready = give({ post_id: 'ready' }).then(({ status }) => answered.push(`ready ${status}`))
    await Promise.all([early, ready])
    assert.deepEqual(answered, ['ready 202', 'late 409'])
    await fixture.resumePipeline()
  })

  it('waits for a post that is being scored, and says when it takes too long', async () => {
    await fixture.pausePipeline()
    await fixture.append({ id: 'soon', text: falls })
    const early = await give({ post_id: 'soon' })
    assert.deepEqual([early.status, early.body.rows[0]?.reason], [409, 'not-scored'])
    assert.equal(early.body.rows[0]?.verdict, 'retry')
    assert.ok(Number(early.headers.get('retry-after')) > 0)
    await fixture.resumePipeline()
    await fixture.append({ id: 'sooner', text: falls })
    let late = await give({ post_id: 'sooner' })
    // A busy machine scores it later than anybody waits: whoever is told so asks again.
    while (late.status === 409) late = await give({ post_id: 'sooner' })
    assert.equal(late.status, 202)
  })

  it('appends nothing while an expert fails: 503, and the label can be given later', async () => {
    await fixture.score({ id: 'unheard', text: falls })
    const from = await end()
    failure = new AppError('WORKER', 'it ended', { retryable: true })
    const answer = await fixture.post('/api/feedback', [
      label({ post_id: 'unheard' }),
      label({ post_id: 'unheard', task: 'topic', label: 'Earnings' }),
    ])
    failure = undefined
    assert.equal(answer.status, 503)
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    assert.deepEqual(
      answer.body.rows.map(({ verdict, reason }) => [verdict, reason]),
      [
        ['retry', 'expert-failed'],
        ['accepted', undefined],
      ],
    )
    assert.equal(await end(), from + 1)
    assert.equal((await give({ post_id: 'unheard' })).status, 202)
  })

  it('refuses a text that ends an expert', async () => {
    await fixture.score({ id: 'lethal', text: `${falls}, poison` })
    const { status, body } = await give({ post_id: 'lethal' })
    assert.deepEqual([status, body.rows[0]?.reason], [422, 'unreadable'])
  })

  it('says of a post that ended its reader that it is dead', async () => {
    await fixture.score({ id: 'killer', text: `${falls}, arsenic` })
    const { status, body } = await give({ post_id: 'killer' })
    assert.deepEqual([status, body.rows[0]?.reason], [422, 'dead'])
  })

  it('has labels sent again while the log has no room, and once it is stopped; what is broken it throws', async () => {
    let append = async (): Promise<never> => {
      throw new AppError('DISK_FULL', 'no room', { retryable: true })
    }
    const feedback = createFeedback({
      log: { endOffsets: (topic) => fixture.log.endOffsets(topic), append: () => append() },
      store: fixture.store,
      experts: [steady],
      isShadow: () => false,
      logTopic,
      newest: new NewestLabels(fixture.store),
      clock: Date.now,
      logger: silentLogger,
    })
    const take = () =>
      feedback.take(
        { postId: 'first', version: 1, task: 'sentiment', label: 1, labeller: 'ann' },
        'feedback',
      )
    const reason = async () => {
      const taken = await take()
      return taken.verdict === 'retry' ? taken.reason : taken.verdict
    }
    assert.equal(await reason(), 'log-refused')
    append = async () => {
      throw new AppError('LOG', 'the record is too large')
    }
    await assert.rejects(take(), { code: 'LOG' })
    await feedback.stop()
    await feedback.stop()
    assert.equal(await reason(), 'log-refused')
  })

  it('labels a post that the log no longer has', async () => {
    await fixture.log.ensureTopics([{ name: topics.posts, partitions: 1, retentionBytes: 1 }])
    assert.ok((await fixture.log.enforceRetention()) > 0)
    assert.equal((await give({ labeller: 'late' })).status, 202)
  })
})
