import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Mapping } from '../../infra/config-sources.ts'
import { mapItem } from './mapping.ts'

const options = { withoutZone: 'unknown', fallbackId: 'fallback' } as const
const mapping: Mapping = {
  id: '/id',
  text: { at: '/story/body', html: true },
  title: '/story/headline',
  url: '/links/0/href',
  author: '/by',
  language: { value: 'en' },
  kind: '/type',
  tickers: '/symbols',
  publishedAt: '/time',
}
const document = {
  id: 17,
  story: { body: '<p>Profit <b>fell</b></p>', headline: 'Nordbank\ncuts' },
  links: [{ href: 'https://x.example/17' }],
  by: '',
  type: 'news',
  symbols: ['NRDB', ' NRDB', 7, 'x'.repeat(30), 'OSL:NRDB'],
  time: '2024-03-05T10:00:00Z',
}

describe('mapItem', () => {
  it('finds every field at its place', () => {
    assert.deepEqual(mapItem(mapping, document, options), {
      ok: true,
      item: {
        id: '17',
        text: 'Profit fell',
        title: 'Nordbank cuts',
        url: 'https://x.example/17',
        author: undefined,
        language: 'en',
        kind: 'news',
        tickers: ['NRDB', 'OSL:NRDB'],
        date: { ms: Date.parse('2024-03-05T10:00:00Z'), exact: true },
      },
    })
  })

  for (const { name, change, expected } of [
    { name: 'no id', change: { id: null }, expected: /^id: nothing/ },
    { name: 'an object for an id', change: { id: {} }, expected: /^id: nothing/ },
    { name: 'no text and no title', change: { story: {} }, expected: /^text: nothing/ },
    { name: 'a story that is a word', change: { story: 'x' }, expected: /^text: nothing/ },
    { name: 'a kind of its own', change: { type: 'blog' }, expected: /^kind: must be one of/ },
  ])
    it(`refuses ${name}`, () => {
      const mapped = mapItem(mapping, { ...document, ...change }, options)
      assert.ok(!mapped.ok)
      assert.match(mapped.reason, expected)
    })

  for (const value of [undefined, null, 'text', 7, [], [document]])
    it(`refuses ${JSON.stringify(value)?.slice(0, 20)} as a document`, () => {
      assert.equal(mapItem(mapping, value, options).ok, false)
    })

  for (const { name, rule, time, expected } of [
    {
      name: 'seconds',
      rule: { at: '/time', format: 'unixSeconds' },
      time: 1_709_632_800,
      expected: '2024-03-05T10:00:00.000Z',
    },
    {
      name: 'milliseconds in a text',
      rule: { at: '/time', format: 'unixMilliseconds' },
      time: '1709632800000',
      expected: '2024-03-05T10:00:00.000Z',
    },
    {
      name: 'a number where a text is due',
      rule: '/time',
      time: 1_709_632_800,
      expected: undefined,
    },
    {
      name: 'an empty text where a number is due',
      rule: { at: '/time', format: 'unixSeconds' },
      time: ' ',
      expected: undefined,
    },
    { name: 'nothing', rule: '/none', time: 0, expected: undefined },
  ] as const)
    it(`reads ${name} as a date`, () => {
      const mapped = mapItem({ ...mapping, publishedAt: rule }, { ...document, time }, options)
      const date = mapped.ok ? mapped.item.date : undefined
      assert.equal(date && new Date(date.ms).toISOString(), expected)
    })

  it('takes the place of the record for an id where none is mapped, and a title for a text', () => {
    const mapped = mapItem(
      { text: '/none', title: '/story/headline', publishedAt: '/time' },
      document,
      options,
    )
    assert.deepEqual(mapped.ok && [mapped.item.id, mapped.item.text, mapped.item.title], [
      'fallback',
      'Nordbank cuts',
      undefined,
    ])
  })

  it('reads no property that every object has', () => {
    for (const at of ['/constructor/name', '/__proto__/x', '/toString'])
      assert.equal(mapItem({ ...mapping, text: at, title: at }, document, options).ok, false)
  })
})
