import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readableName, shortName } from './company-name.ts'

const cases = [
  { input: 'MICROSOFT CORP', expected: 'MICROSOFT' },
  { input: 'Apple Inc.', expected: 'Apple' },
  { input: 'HOME DEPOT, INC.', expected: 'HOME DEPOT' },
  { input: 'Alphabet Inc. (Class A)', expected: 'Alphabet' },
  { input: 'PROGRESSIVE CORP/OH/', expected: 'PROGRESSIVE' },
  { input: 'JPMORGAN CHASE & CO', expected: 'JPMORGAN CHASE' },
  { input: 'Hershey Company (The)', expected: 'Hershey' },
  { input: 'AT&T INC.', expected: 'AT&T' },
  { input: 'Rivian Automotive, Inc. / DE', expected: 'Rivian Automotive' },
  { input: 'Company', expected: 'Company' },
  { input: '', expected: '' },
]

for (const { input, expected } of cases)
  test(`short name of '${input}'`, () => assert.equal(shortName(input), expected))

test('a shouted name becomes readable, a mixed one stays', () => {
  assert.equal(readableName('HOME DEPOT, INC.'), 'Home Depot, Inc.')
  assert.equal(readableName('eBay Inc.'), 'eBay Inc.')
})
