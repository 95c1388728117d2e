import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AppError } from '../../infra/errors.ts'
import type { FusionMethod, Strategy } from '../contract.ts'
import type { AllocationContext, Plan } from './allocator.ts'
import { createStreamAllocator, parseStream, type StreamSettings } from './streams.ts'

const context: AllocationContext = {
  source: 'desk',
  kind: 'comment',
  language: 'en',
  textLength: 10,
  position: { logTopic: 'posts@0', partition: 0, offset: 0 },
}

const parsed = [
  {
    entry: 'kind=comment&language=en:dynamic',
    expected: {
      conditions: { kind: 'comment', language: 'en' },
      strategy: 'dynamic',
      fusion: undefined,
    },
  },
  {
    entry: 'source=desk:static/vote',
    expected: { conditions: { source: 'desk' }, strategy: 'static', fusion: 'vote' },
  },
  {
    entry: 'source=a%26b:c%2C:multitask',
    expected: { conditions: { source: 'a&b:c,' }, strategy: 'multitask', fusion: undefined },
  },
]
for (const { entry, expected } of parsed)
  test(`'${entry}' is a stream`, () => assert.deepEqual(parseStream(entry), expected))

const refused = [
  { entry: 'kind=comment', why: /names no strategy/ },
  { entry: 'kind=comment:', why: /names no strategy \(static, dynamic, multitask\)/ },
  { entry: 'kind=comment:best', why: /names no strategy/ },
  { entry: 'kind=comment:static/median', why: /names no fusion/ },
  { entry: 'kind=comment:static/vote/vote', why: /names no fusion/ },
  { entry: 'kind=tweet:static', why: /names no kind/ },
  { entry: 'topic=Macro:static', why: /has no condition on source, kind, language/ },
  { entry: 'kind=news&kind=comment:static', why: /says kind twice/ },
  { entry: 'language=:static', why: /says no language/ },
  { entry: ':static', why: /has no condition/ },
  { entry: '\u001b[31m:x', why: /The stream '\[31m:x' names no strategy/ },
]
for (const { entry, why } of refused)
  test(`${JSON.stringify(entry)} is refused, by its name`, () =>
    assert.throws(
      () => parseStream(entry),
      (error) => error instanceof AppError && error.code === 'CONFIG' && why.test(error.message),
    ))

/** Every plan says what it was asked from. */
function allocatorFor(settings: StreamSettings) {
  return createStreamAllocator({
    settings,
    allocatorOf(strategy: Strategy, fusion: FusionMethod) {
      if (strategy === 'multitask') throw new AppError('CONFIG', 'no encoder')
      return { plan: () => ({ strategy, fusion }) as Plan }
    },
  })
}
const plannedBy = (
  allocator: ReturnType<typeof allocatorFor>,
  fields: Partial<AllocationContext> = {},
) => {
  const { strategy, fusion } = allocator.plan({ ...context, ...fields })
  return `${strategy}/${fusion}`
}
const defaults = { strategy: 'static', fusion: 'average' } as const

test('the first stream whose conditions all hold counts, else the default', () => {
  const allocator = allocatorFor({
    ...defaults,
    streams: ['source=desk&kind=news:dynamic', 'kind=comment:static/vote', 'source=desk:dynamic'],
  })
  assert.equal(plannedBy(allocator), 'static/vote')
  assert.equal(plannedBy(allocator, { kind: 'news' }), 'dynamic/average')
  assert.equal(plannedBy(allocator, { kind: 'news', source: 'wire' }), 'static/average')
})

test('what cannot be had changes nothing', () => {
  const allocator = allocatorFor({ ...defaults, streams: ['kind=comment:dynamic'] })
  for (const streams of [['source=desk:multitask'], ['source=desk:dynamic', 'nothing']])
    for (const attempt of [allocator.use, allocator.check])
      assert.throws(() => attempt({ strategy: 'dynamic', fusion: 'vote', streams }), {
        code: 'CONFIG',
      })
  assert.equal(plannedBy(allocator), 'dynamic/average')
  assert.equal(plannedBy(allocator, { kind: 'news' }), 'static/average')
})

test('a change counts for what is planned after it, and a check for nothing', () => {
  const allocator = allocatorFor({ ...defaults, streams: [] })
  const next: StreamSettings = { strategy: 'dynamic', fusion: 'stacking', streams: [] }
  allocator.check(next)
  assert.equal(plannedBy(allocator), 'static/average')
  allocator.use(next)
  assert.equal(plannedBy(allocator), 'dynamic/stacking')
  assert.deepEqual(allocator.settings, next)
})
