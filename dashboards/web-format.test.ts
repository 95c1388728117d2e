import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  formatProbability,
  formatScore,
  formatSpan,
  formatTime,
  formatTone,
  toneClass,
} from './web/format.ts'

describe('numbers and times of the page', () => {
  const cases: readonly {
    readonly name: string
    readonly actual: string
    readonly expected: string
  }[] = [
    { name: 'a negative score', actual: formatScore(-0.206), expected: '−0.21' },
    { name: 'a positive score', actual: formatScore(0.444), expected: '+0.44' },
    { name: 'a score that rounds to zero', actual: formatScore(-0.001), expected: '0.00' },
    { name: 'a negative tone', actual: formatTone(-0.5), expected: '▼ −0.50' },
    { name: 'no tone', actual: formatTone(0.001), expected: '● 0.00' },
    { name: 'a small p-value', actual: formatProbability(4.2e-9), expected: '4·10⁻⁹' },
    { name: 'a p-value of two digits', actual: formatProbability(1e-12), expected: '1·10⁻¹²' },
    { name: 'a p-value just below a power', actual: formatProbability(9.7e-6), expected: '1·10⁻⁵' },
    { name: 'a large p-value', actual: formatProbability(0.042), expected: '0.042' },
    { name: 'an impossible p-value', actual: formatProbability(0), expected: '0' },
    { name: 'part of a second', actual: formatSpan(1_230), expected: '1.2 s' },
    { name: 'minutes', actual: formatSpan(360_000), expected: '6 min' },
    {
      name: 'a time',
      actual: formatTime(new Date('2020-06-26T14:32:08Z'), 'utc'),
      expected: '14:32:08',
    },
  ]
  for (const { name, actual, expected } of cases) it(name, () => assert.equal(actual, expected))

  it('gives the sign in class and arrow alike', () => {
    assert.deepEqual([-1, 0, 1].map(toneClass), ['negative', 'muted', 'positive'])
  })
})
