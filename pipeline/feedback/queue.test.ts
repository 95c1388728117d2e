/** The label queue over HTTP, on the real log, store and experts. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { LabelResult } from '../routes/feedback.ts'
import { type LabellingFixture, startLabelling } from './labelling.fixture.ts'
import type { QueuedPost } from './queue.ts'
import type { LabelStats } from './stats.ts'

interface Next {
  readonly task: string
  readonly labels: string[]
  readonly posts: QueuedPost[]
}

const hostile = '<script>alert(1)</script>\u202e shares fall'

describe('the label queue', () => {
  let fixture: LabellingFixture

  before(async () => {
    fixture = await startLabelling({ rates: { share: 1, uniformShare: 0.5 } })
    await fixture.score(
      ...Array.from({ length: 12 }, (_, i) => ({
        id: `post-${i}`,
        text: i === 3 ? hostile : `Shares of company ${i} fall on weak sales, or so it seems`,
        title: `Headline ${i}`,
        url: `https://news.example/${i}`,
        kind: i % 2 === 0 ? 'news' : 'comment',
      })),
      { id: 'imported', text: 'Profit rises', history: true },
    )
  })
  after(() => fixture.close())

  const next = async (labeller: string, more = '') =>
    (await fixture.get<Next>(`/api/labels/next?labeller=${labeller}&limit=100${more}`)).body.posts
  const ids = (posts: readonly QueuedPost[]) => posts.map(({ post_id }) => post_id)
  const answer = (post_id: string, fields: Readonly<Record<string, unknown>> = {}) =>
    fixture.post('/api/labels', {
      post_id,
      version: 1,
      task: 'sentiment',
      label: 'negative',
      labeller: 'ann',
      ...fields,
    })
  const drawn = () =>
    fixture.store.query<{ post_id: string; label_draw: string; label_probability: number }>(
      "SELECT post_id, label_draw, label_probability FROM analyses WHERE ordinal = 0 AND label_draw != '' ORDER BY offset DESC",
    )

  it('shows the drawn posts, newest first, with what a reader sees and nothing else', async () => {
    const { status, body } = await fixture.get<Next>('/api/labels/next')
    assert.equal(status, 200)
    assert.deepEqual([body.task, body.labels], ['sentiment', ['negative', 'neutral', 'positive']])
    const rows = await drawn()
    assert.ok(rows.length > 5 && !rows.some(({ post_id }) => post_id === 'imported'))
    assert.deepEqual(
      ids(body.posts),
      rows.slice(0, 10).map(({ post_id }) => post_id),
    )
    for (const post of body.posts)
      assert.deepEqual(Object.keys(post).sort(), [
        'kind',
        'post_id',
        'published_at',
        'source',
        'text',
        'title',
        'url',
        'version',
      ])
    const [newest] = body.posts
    assert.equal(newest?.published_at, '2026-03-02T11:50:00.000Z')
  })

  it('takes an answer with the draw and its probability, and shows the post to others only', async () => {
    const [post, ...others] = ids(await next('ann'))
    const { status, body } = await answer(post ?? '')
    assert.equal(status, 202)
    assert.deepEqual(ids(await next('ann')), others)
    await fixture.tabled()
    assert.deepEqual(ids(await next('ann')), others)
    assert.equal(ids(await next('bo'))[0], post)
    assert.equal(ids(await next('ann', '&task=topic'))[0], post)
    const record = (await fixture.records())[body.rows[0]?.offset ?? -1]
    const row = (await drawn()).find(({ post_id }) => post_id === post)
    assert.deepEqual(
      [record?.origin, record?.selectionProbability],
      [row?.label_draw, row?.label_probability],
    )
  })

  it('goes on showing a post that was labelled outside it: the sample must not lose what somebody chose', async () => {
    const [post = ''] = ids(await next('cy'))
    const chosen = { post_id: post, task: 'sentiment', label: 'positive', labeller: 'cy' }
    assert.equal((await fixture.post('/api/feedback', chosen)).status, 202)
    await fixture.tabled()
    assert.equal(ids(await next('cy'))[0], post)
    const { body } = await answer(post, { labeller: 'cy', label: 'positive' })
    assert.equal(body.rows[0]?.repeated, false)
    const [first, second] = (await fixture.records()).filter((record) => record?.labeller === 'cy')
    assert.equal(first?.origin, 'chosen')
    assert.notEqual(second?.origin, 'chosen')
    assert.ok((second?.selectionProbability ?? 0) > 0)
  })

  it('leaves a skipped post out, for the labeller and task that skipped it', async () => {
    const [post, ...others] = ids(await next('dee'))
    const skip = { post_id: post, version: 1, task: 'sentiment', labeller: 'dee' }
    assert.equal((await fixture.post('/api/labels/skip', skip)).status, 204)
    assert.equal((await fixture.post('/api/labels/skip', skip)).status, 204)
    assert.deepEqual(ids(await next('dee')), others)
    assert.equal(ids(await next('dee', '&task=topic'))[0], post)
    assert.equal(ids(await next('eve'))[0], post)
  })

  const refusals = [
    {
      name: 'an answer to a post that was not drawn',
      path: '/api/labels',
      post_id: 'imported',
      status: 409,
    },
    { name: 'an answer to an unknown post', path: '/api/labels', post_id: 'nobody', status: 404 },
    {
      name: 'a skip of a post that was not drawn',
      path: '/api/labels/skip',
      post_id: 'imported',
      status: 409,
    },
    { name: 'a skip of an unknown post', path: '/api/labels/skip', post_id: 'nobody', status: 404 },
    {
      name: 'a skip by a hostile name',
      path: '/api/labels/skip',
      post_id: 'post-1',
      labeller: 'a\u0007',
      status: 400,
    },
  ]
  for (const { name, path, status, ...fields } of refusals)
    it(`refuses ${name}: ${status}`, async () => {
      const label = path === '/api/labels' ? { label: 'negative' } : {}
      const body = { task: 'sentiment', labeller: 'ann', ...label, ...fields }
      const answered = await fixture.post(path, body)
      assert.equal(answered.status, status)
      const { error } = answered.body as LabelResult
      assert.equal(error?.code, 'FEEDBACK')
      assert.doesNotMatch(error?.message ?? '', /\p{Cc}/u)
    })

  const badQueries = [
    'labeller=%07',
    `labeller=${'x'.repeat(101)}`,
    'task=irony',
    'limit=0',
    'limit=101',
    'x=1',
  ]
  for (const query of badQueries)
    it(`refuses ?${query.slice(0, 20)}`, async () =>
      assert.equal((await fixture.get(`/api/labels/next?${query}`)).status, 400))

  it('counts labels and skips, and judges by the answers of the queue alone', async () => {
    await fixture.tabled()
    const { status, body } = await fixture.get<LabelStats>('/api/labels/stats')
    assert.equal(status, 200)
    const count = (labeller: string, origin: (name: string) => boolean) =>
      body.counts
        .filter((row) => row.labeller === labeller && origin(row.origin))
        .map(({ labels }) => labels)
    assert.deepEqual(
      count('cy', (origin) => origin === 'chosen'),
      [1],
    )
    assert.deepEqual(
      count('cy', (origin) => origin !== 'chosen'),
      [1],
    )
    assert.deepEqual(body.skips, [{ task: 'sentiment', labeller: 'dee', posts: 1 }])
    const all = body.accuracy.filter(({ sample, kind }) => sample === 'weighted' && kind === '')
    assert.deepEqual(
      all.map(({ judge }) => judge),
      ['fused', 'lexicon', 'linear'],
    )
    assert.ok(all.every(({ low, accuracy, high }) => low <= accuracy && accuracy <= high))
  })
})
