import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instrumentAt, period } from './ticker-timeline.ts'

const gold = [
  period('randgold', '', '2019-01-02'),
  period('barrick', '2019-01-02', '2025-05-09'),
  period('gold.com', '2025-12-02', ''),
]
const cases = [
  { name: 'the first owner, since ever', at: '2014-03-01', expected: 'randgold' },
  { name: 'the day before it changes hands', at: '2019-01-01T23:59:59Z', expected: 'randgold' },
  { name: 'the day it changes hands', at: '2019-01-02', expected: 'barrick' },
  { name: 'a gap reads as the last owner', at: '2025-08-01', expected: 'barrick' },
  { name: 'the last one', at: '2026-01-01', expected: 'gold.com' },
]

for (const { name, at, expected } of cases)
  test(`timeline: ${name}`, () => assert.equal(instrumentAt(gold, Date.parse(at)), expected))

test('a ticker stands for nothing before its first owner, nor without any', () => {
  const meta = [period('meta', '2022-06-09', '')]
  assert.equal(instrumentAt(meta, Date.parse('2020-06-26')), undefined)
  assert.equal(instrumentAt([], Date.parse('2020-06-26')), undefined)
})
