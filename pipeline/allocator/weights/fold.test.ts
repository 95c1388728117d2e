import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { WeightFold } from './fold.ts'
import { bytesOf, type LabelChanges, labelled, model, topicRecords } from './labels.fixture.ts'
import { modelSet } from './model.ts'
import { decodeState, encodeState } from './snapshot.ts'

const tweet = { task: 'sentiment', kind: 'news', language: 'en', textLength: 90 } as const

function folded(records: readonly unknown[], fold = new WeightFold(model)): WeightFold {
  records.forEach((record, i) => {
    fold.fold(Buffer.isBuffer(record) ? record : bytesOf(record), i)
  })
  return fold
}

const weightsAfter = (...changes: readonly LabelChanges[]) =>
  folded(changes.map((change) => labelled(change)))
    .book()
    .weights(tweet)

test('without feedback the weights are the prior ones, of the task’s experts', () => {
  const book = new WeightFold(model).book()
  assert.equal(book.version, -1)
  assert.deepEqual(book.weights(tweet), { minilm: 0.8, linear: 0.15, lexicon: 0.05 })
  assert.deepEqual(book.weights({ ...tweet, kind: 'comment' }), {
    minilm: 0.5,
    linear: 0,
    lexicon: 0.5,
  })
  const topic = book.weights({ ...tweet, task: 'topic' })
  assert.deepEqual(Object.keys(topic), ['minilm', 'linear'])
  assert.ok(Math.abs((topic.minilm ?? 0) - 0.8 / 0.95) < 1e-12)
})

test('topics may have prior weights of their own', () => {
  const even = { minilm: 0.5, linear: 0.5 }
  const topicPrior = { news: even, comment: even }
  const book = new WeightFold({ ...model, topicPrior }).book()
  assert.deepEqual(book.weights({ ...tweet, task: 'topic' }), even)
  assert.deepEqual(book.weights(tweet), new WeightFold(model).book().weights(tweet))
  assert.notEqual(modelSet({ ...model, topicPrior }), modelSet(model))
})

test('who is right gains, whether it ran, had effect, or was a shadow', () => {
  const experts = labelled().experts.map((expert) => ({ ...expert, ran: false, shadow: true }))
  const weights = weightsAfter({ experts })
  assert.deepEqual(weights, weightsAfter({}))
  assert.ok((weights.minilm ?? 0) > 0.8)
})

test('a book stays as it was when it was asked for', () => {
  const fold = folded([labelled()])
  const book = fold.book()
  fold.fold(bytesOf(labelled({ id: 'p2' })), 1)
  assert.equal(book.version, 0)
  assert.deepEqual(book.weights(tweet), weightsAfter({}))
  assert.equal(fold.book().version, 1)
})

test('a label given a thousand times counts once', () => {
  const fold = folded(Array.from({ length: 1_000 }, () => labelled()))
  assert.deepEqual(fold.book().weights(tweet), weightsAfter({}))
  assert.deepEqual(fold.counts, { learned: 1, repeated: 999, skipped: 0 })
})

const counted = [
  { name: 'a changed label of the same labeller', changes: { label: 1 }, learned: 2 },
  { name: 'the same label of another labeller', changes: { labeller: 'bob' }, learned: 2 },
  { name: 'another label of another', changes: { labeller: 'bob', label: 1 }, learned: 2 },
  { name: 'another post', changes: { id: 'p2' }, learned: 2 },
  { name: 'another origin', changes: { origin: 'chosen' }, learned: 1 },
] as const

for (const { name, changes, learned } of counted)
  test(`${name}: ${learned} count`, () => {
    assert.equal(folded([labelled(), labelled(changes)]).counts.learned, learned)
  })

test('a label that was chosen first, and is given again by the queue, teaches once and is watched once', () => {
  const chosen = labelled({ origin: 'chosen' })
  const fold = folded([chosen, labelled(), labelled()])
  assert.deepEqual(fold.counts, { learned: 1, repeated: 2, skipped: 0 })
  assert.deepEqual(fold.book().weights(tweet), weightsAfter({}))
  assert.equal(fold.state.detectors.get('sentiment/news/')?.verdicts, 1)
  assert.equal(folded([chosen, chosen]).state.detectors.size, 0)
})

test('a labeller who goes back and forth moves the weights twice', () => {
  const flapping = Array.from({ length: 100 }, (_, i) => ({ label: i % 2 }))
  assert.deepEqual(weightsAfter(...flapping), weightsAfter({ label: 0 }, { label: 1 }))
})

test('an expert of another version sleeps: it keeps its share', () => {
  const [minilm, ...others] = labelled().experts
  assert.ok(minilm !== undefined)
  const weights = weightsAfter({ experts: [{ ...minilm, version: '2' }, ...others] })
  assert.ok(Math.abs((weights.minilm ?? 0) - 0.8) < 1e-12)
})

test('the system’s own verdict moves no weight', () => {
  assert.deepEqual(weightsAfter({ fused: [0, 1, 0] }), weightsAfter({ fused: [1, 0, 0] }))
  assert.deepEqual(weightsAfter({ fused: [] }), weightsAfter({}))
})

test('a context without labels borrows from the ones around it', () => {
  const fold = folded(Array.from({ length: 200 }, (_, i) => labelled({ id: `p${i}`, label: 1 })))
  const weight = (context: object) => fold.book().weights({ ...tweet, ...context }).minilm ?? 0
  const [own, otherLength, otherLanguage] = [{}, { textLength: 500 }, { language: 'de' }].map(
    weight,
  )
  const prior = 0.8
  assert.ok(own !== undefined && otherLength !== undefined && otherLanguage !== undefined)
  assert.ok(own < otherLength && otherLength < otherLanguage && otherLanguage < prior)
  assert.ok(weight({ kind: 'comment' }) < 0.5, 'news tell comments that it is worse than thought')
  assert.ok(Math.abs(weight({ task: 'topic' }) - 0.8 / 0.95) < 1e-12)
})

const third = 1 / 3
const malformed = [
  { name: 'no JSON', input: Buffer.from('{"format":1') },
  { name: 'no UTF-8', input: Buffer.from([0xff, 0xfe]) },
  { name: 'null', input: null },
  { name: 'another format', input: { ...labelled(), format: 2 } },
  { name: 'a label the task lacks', input: labelled({ label: 3 }) },
  { name: 'a huge label', input: labelled({ label: 1e300 }) },
  { name: 'no experts', input: labelled({ experts: [] }) },
  { name: 'too few probabilities', input: heard([0.5, 0.5]) },
  { name: 'probabilities over 1', input: heard([2, -1, 0]) },
  { name: 'a sum that is not 1', input: heard([third, third, 0]) },
  { name: 'a result that is no distribution', input: labelled({ fused: [1, 1, 1] }) },
  {
    name: 'an expert twice',
    input: labelled({ experts: [...labelled().experts, ...labelled().experts] }),
  },
  {
    name: 'an endless number',
    input: Buffer.from(
      JSON.stringify(heard([third, third, third])).replace('0.3333333333333333', '1e999'),
    ),
  },
]

function heard(probabilities: number[]): object {
  return labelled({
    experts: [{ name: 'minilm', version: '3', probabilities, ran: true, shadow: false }],
  })
}

for (const { name, input } of malformed)
  test(`${name}: skipped and counted`, () => {
    const fold = folded([input])
    assert.deepEqual(fold.counts, { learned: 0, repeated: 0, skipped: 1 })
    assert.equal(fold.version, 0)
    assert.deepEqual(fold.book().weights(tweet), new WeightFold(model).book().weights(tweet))
  })

test('whatever stands in the topic, weights are shares', () => {
  fc.assert(
    fc.property(fc.array(topicRecords, { maxLength: 60 }), (records) => {
      const book = folded(records).book()
      for (const task of ['sentiment', 'topic'] as const) {
        const weights = Object.values(book.weights({ ...tweet, task }))
        assert.ok(weights.every((weight) => weight >= 0))
        assert.ok(Math.abs(weights.reduce((a, b) => a + b, 0) - 1) < 1e-9)
      }
    }),
  )
})

test('the state is the same from any snapshot, to the bit', () => {
  fc.assert(
    fc.property(
      fc.array(topicRecords, { maxLength: 60 }),
      fc.array(fc.nat({ max: 59 }), { maxLength: 5 }),
      (records, restarts) => {
        let fold = new WeightFold(model)
        records.forEach((record, offset) => {
          fold.fold(record, offset)
          if (!restarts.includes(offset)) return
          const state = decodeState(encodeState(fold.state), model)
          assert.ok(state !== undefined)
          fold = new WeightFold(model, state)
        })
        assert.equal(encodeState(fold.state), encodeState(folded(records).state))
      },
    ),
  )
})

const damaged = [
  { name: 'nothing', damage: () => '' },
  { name: 'a part', damage: (text: string) => text.slice(0, -1) },
  { name: 'another digit', damage: (text: string) => text.replace('"learned":1', '"learned":2') },
  { name: 'no JSON', damage: () => 'x'.repeat(100) },
]

for (const { name, damage } of damaged)
  test(`a snapshot that is ${name} is none`, () => {
    assert.equal(decodeState(damage(encodeState(folded([labelled()]).state)), model), undefined)
  })

test('a snapshot of more experts is none', () => {
  const text = encodeState(folded([labelled()]).state)
  assert.equal(decodeState(text, { ...model, experts: model.experts.slice(1) }), undefined)
})

test('an accuracy that falls is reported once, and weights forget faster for a while', () => {
  const fold = new WeightFold(model)
  const alarms = Array.from({ length: 600 }, (_, i) => {
    const isWrong = i % (i < 300 ? 5 : 2) === 0
    const record = labelled({ id: `p${i}`, fused: isWrong ? [0, 1, 0] : [1, 0, 0] })
    return fold.fold(bytesOf(record), i)
  }).flat()
  assert.equal(alarms.length, 1)
  const [alarm] = alarms
  assert.ok(alarm !== undefined && alarm.offset > 300 && alarm.offset < 400)
  assert.deepEqual([alarm.task, alarm.kind, alarm.expert], ['sentiment', 'news', ''])
  assert.ok(Math.abs(alarm.before - 0.2) < 0.02 && Math.abs(alarm.since - 0.5) < 0.1)
  assert.ok((fold.state.raised.get('sentiment/news') ?? 0) > 0)
})

test('labels that were chosen, or given again to a post, are no sample for drift', () => {
  const alarmsOf = (changes: (i: number) => LabelChanges) => {
    const fold = new WeightFold(model)
    return Array.from({ length: 600 }, (_, i) =>
      fold.fold(
        bytesOf(labelled({ fused: [i < 300 ? 1 : 0, i < 300 ? 0 : 1, 0], ...changes(i) })),
        i,
      ),
    ).flat().length
  }
  assert.ok(alarmsOf((i) => ({ id: `p${i}` })) > 0)
  assert.equal(
    alarmsOf((i) => ({ id: `p${i}`, origin: 'informative' })),
    0,
  )
  assert.equal(
    alarmsOf((i) => ({ id: `p${Math.min(i, 300)}`, labeller: `l${i}` })),
    0,
  )
})
