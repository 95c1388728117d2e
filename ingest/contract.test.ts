import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  deadLetter,
  decodePost,
  maxPayloadBytes,
  maxPostBytes,
  type Post,
  parseInstant,
  parsePost,
} from './contract.ts'

const now = Date.parse('2026-11-24T12:00:00Z')
const valid: Post = {
  id: '1',
  source: 'wire',
  kind: 'news',
  text: 'Profit falls',
  publishedAt: '2026-11-24T11:00:00.000Z',
}

function reasonOf(value: unknown): string {
  const result = parsePost(value, now)
  return result.ok ? 'accepted' : result.reason
}

function accepted(value: unknown): Post {
  const result = parsePost(value, now)
  assert.ok(result.ok, result.ok ? '' : result.reason)
  return result.post
}

const anyText = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 })
const anyTime = fc
  .date({ min: new Date(0), max: new Date(now), noInvalidDate: true })
  .map((date) => date.toISOString())
const anyPost = fc.record(
  {
    id: anyText,
    source: fc.string({ unit: 'binary', minLength: 1, maxLength: 100 }),
    kind: fc.constantFrom('news', 'comment'),
    text: anyText.filter((text) => text.trim() !== ''),
    title: anyText,
    url: anyText,
    author: anyText,
    language: fc.string({ maxLength: 35 }),
    tickers: fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 50 }),
    publishedAt: anyTime,
    originalPublishedAt: anyTime,
    status: fc.constantFrom('original', 'corrected', 'withdrawn'),
    supersedes: anyText,
    history: fc.boolean(),
  },
  { requiredKeys: ['id', 'source', 'kind', 'text', 'publishedAt'] },
)

describe('parsePost, laws', () => {
  it('gives a valid post back unchanged, also through bytes', () => {
    fc.assert(
      fc.property(anyPost, (post) => {
        assert.deepEqual(accepted(post), { ...post })
        const bytes = Buffer.from(JSON.stringify(post))
        assert.deepEqual(decodePost(bytes, now), { ok: true, post: { ...post } })
      }),
    )
  })

  it('repairs lone surrogates in every string, and a second time changes nothing', () => {
    const halves = fc.string({
      unit: fc.constantFrom('\ud83d', '\ude00', 'a'),
      minLength: 1,
      maxLength: 20,
    })
    fc.assert(
      fc.property(anyPost, halves, (post, text) => {
        const broken = {
          ...post,
          id: text,
          source: text,
          text,
          title: text,
          url: text,
          author: text,
        }
        const repaired = accepted({ ...broken, supersedes: text, language: text, tickers: [text] })
        assert.ok(JSON.stringify(repaired).isWellFormed())
        for (const value of Object.values(repaired).flat())
          assert.ok(typeof value !== 'string' || value.isWellFormed())
        assert.equal(repaired.text, text.toWellFormed())
        assert.deepEqual(accepted(repaired), repaired)
      }),
    )
  })

  it('never throws, and every reason is short, printable ASCII', () => {
    const check = (result: ReturnType<typeof parsePost>) =>
      result.ok || assert.match(result.reason, /^[ -~]{1,400}$/)
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withMap: true, withDate: true }), (value) => {
        check(parsePost(value, now))
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        check(decodePost(bytes, now))
      }),
    )
    fc.assert(
      fc.property(fc.jsonValue(), anyPost, fc.string({ unit: 'binary' }), (value, post, key) => {
        check(decodePost(Buffer.from(JSON.stringify({ ...post, [key]: value })), now))
      }),
    )
  })
})

const refused: { name: string; input: unknown; expected: RegExp }[] = [
  { name: 'null', input: null, expected: /^a post must be a JSON object$/ },
  { name: 'an array', input: [valid], expected: /^a post must be a JSON object$/ },
  { name: 'a string', input: 'Profit falls', expected: /^a post must be a JSON object$/ },
  { name: 'nothing in it', input: {}, expected: /^missing: id, source, kind, text, publishedAt$/ },
  { name: 'no id', input: { ...valid, id: undefined }, expected: /^id: / },
  { name: 'empty id', input: { ...valid, id: '' }, expected: /^id: .*fewer/ },
  { name: 'number as id', input: { ...valid, id: 7 }, expected: /^id: must be string$/ },
  { name: 'null as title', input: { ...valid, title: null }, expected: /^title: must be string$/ },
  { name: 'number as text', input: { ...valid, text: 1e3 }, expected: /^text: must be string$/ },
  { name: 'object as text', input: { ...valid, text: {} }, expected: /^text: must be string$/ },
  { name: 'empty text', input: { ...valid, text: '' }, expected: /^text: / },
  { name: 'blank text', input: { ...valid, text: ' \n\u00a0\u3000' }, expected: /white space/ },
  {
    name: 'text of 20,001',
    input: { ...valid, text: 'x'.repeat(20_001) },
    expected: /^text: .*20000/,
  },
  {
    name: 'unknown kind',
    input: { ...valid, kind: 'rumour' },
    expected: /^kind: must be one of news, comment$/,
  },
  {
    name: 'unknown status',
    input: { ...valid, status: 'new' },
    expected: /^status: must be one of/,
  },
  {
    name: 'history as text',
    input: { ...valid, history: 'yes' },
    expected: /^history: must be boolean$/,
  },
  {
    name: 'a ticker of number',
    input: { ...valid, tickers: [1] },
    expected: /^tickers\/0: must be string$/,
  },
  { name: '51 tickers', input: { ...valid, tickers: Array(51).fill('A') }, expected: /^tickers: / },
  { name: 'unknown field', input: { ...valid, score: 1 }, expected: /^unknown field "score"$/ },
  {
    name: 'unknown field that is an attack',
    input: { ...valid, '\u001b[2J\u202e\ud800<b>/~"': 1 },
    expected: /^unknown field "\\u001b\[2J\\u202e\\ud800<b>\/~\\""$/,
  },
  {
    name: 'long unknown field',
    input: { ...valid, ['k'.repeat(1e5)]: 1 },
    expected: /^unknown field "k{40}\.\.\."$/,
  },
  {
    name: 'many faults',
    input: { ...valid, a: 1, b: 2, c: 3, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9, id: 1 },
    expected: /^(unknown field "\w"(; )?){3}$/,
  },
  {
    name: 'far future',
    input: { ...valid, publishedAt: '2026-11-24T12:05:00.001Z' },
    expected: /^publishedAt: more than 5 minutes/,
  },
  {
    name: 'impossible day',
    input: { ...valid, publishedAt: '2020-02-30T10:00:00Z' },
    expected: /^publishedAt: not an RFC 3339/,
  },
  {
    name: 'number as time',
    input: { ...valid, publishedAt: 1.6e12 },
    expected: /^publishedAt: must be string$/,
  },
  {
    name: 'impossible original day',
    input: { ...valid, originalPublishedAt: '2020-04-31T10:00:00Z' },
    expected: /^originalPublishedAt: not/,
  },
]

describe('parsePost refuses, with the field', () => {
  for (const { name, input, expected } of refused)
    it(name, () => assert.match(reasonOf(input), expected))
})

const unchanged: { name: string; text: string }[] = [
  { name: 'null bytes', text: 'a\u0000b' },
  { name: 'right-to-left marks', text: '\u202eevil\u202c \u05d0' },
  { name: 'zero width characters', text: '\u200b\u200d\ufeff$A\u200bB' },
  { name: 'HTML and script', text: '<script>alert(1)</script>&amp;"\'`' },
  { name: 'line ends', text: 'a\r\nb\u2028c' },
  { name: '20,000 characters outside the basic plane', text: '\u{1F4C9}'.repeat(20_000) },
]

describe('parsePost accepts unchanged', () => {
  for (const { name, text } of unchanged)
    it(name, () => assert.deepEqual(accepted({ ...valid, text }), { ...valid, text }))

  it('a post published exactly 5 minutes ahead', () => {
    assert.equal(reasonOf({ ...valid, publishedAt: '2026-11-24T12:05:00Z' }), 'accepted')
  })
})

const bytesRefused: { name: string; input: string | Uint8Array; expected: RegExp }[] = [
  { name: 'nothing', input: '', expected: /^empty$/ },
  { name: 'NaN', input: '{"id": NaN}', expected: /^not valid JSON/ },
  { name: 'Infinity', input: '{"id": Infinity}', expected: /^not valid JSON/ },
  { name: 'a number beyond double', input: '{"id": 1e999}', expected: /; id: must be string$/ },
  { name: 'cut off', input: '{"id":"secret words', expected: /^not valid JSON at position 19$/ },
  { name: 'words', input: 'secret words', expected: /^not valid JSON( at position \d+)?$/ },
  { name: 'not UTF-8', input: Buffer.from([0x22, 0xff, 0x22]), expected: /^not valid UTF-8$/ },
  {
    name: 'over the limit',
    input: Buffer.alloc(maxPostBytes + 1, 0x20),
    expected: /^larger than 1048576 bytes$/,
  },
  {
    name: 'deep nesting',
    input: `${'['.repeat(2e5)}${']'.repeat(2e5)}`,
    expected: /^a post must be/,
  },
  {
    name: '__proto__',
    input: JSON.stringify(valid).replace('{', '{"__proto__":{"text":"x"},'),
    expected: /^unknown field "__proto__"$/,
  },
]

describe('decodePost refuses, without quoting', () => {
  for (const { name, input, expected } of bytesRefused)
    it(name, () => {
      const result = decodePost(Buffer.from(input), now)
      assert.match(result.ok ? 'accepted' : result.reason, expected)
    })
})

describe('decodePost', () => {
  it('takes the last of a repeated key', () => {
    const bytes = Buffer.from(JSON.stringify(valid).replace('{', '{"text":"first",'))
    assert.deepEqual(decodePost(bytes, now), { ok: true, post: valid })
  })

  it('keeps an escaped lone surrogate from the post', () => {
    const json = JSON.stringify({ ...valid, text: 'a\ud83d' })
    const result = decodePost(Buffer.from(json), now)
    assert.deepEqual(result, { ok: true, post: { ...valid, text: 'a\ufffd' } })
  })
})

describe('parseInstant', () => {
  const table: { input: string; expected: string | undefined }[] = [
    { input: '2020-02-29T00:00:00Z', expected: '2020-02-29T00:00:00.000Z' },
    { input: '2020-06-26t23:59:59.9999z', expected: '2020-06-26T23:59:59.999Z' },
    { input: '2020-06-26 12:00:00.5+02:00', expected: '2020-06-26T10:00:00.500Z' },
    { input: '2020-12-31T19:30:00-05:30', expected: '2021-01-01T01:00:00.000Z' },
    { input: '2016-12-31T23:59:60Z', expected: '2017-01-01T00:00:00.000Z' },
    { input: '2299-12-31T23:59:59.999Z', expected: '2299-12-31T23:59:59.999Z' },
    { input: '1970-01-01T00:00:00Z', expected: '1970-01-01T00:00:00.000Z' },
    { input: '1970-01-01T00:00:00+00:01', expected: undefined },
    { input: '2299-12-31T23:59:59-00:01', expected: undefined },
    { input: '1969-12-31T23:59:59Z', expected: undefined },
    { input: '2300-01-01T00:00:00Z', expected: undefined },
    { input: '2021-02-29T00:00:00Z', expected: undefined },
    { input: '2020-13-01T00:00:00Z', expected: undefined },
    { input: '2020-00-10T00:00:00Z', expected: undefined },
    { input: '2020-01-00T00:00:00Z', expected: undefined },
    { input: '2020-01-01T24:00:00Z', expected: undefined },
    { input: '2020-01-01T25:00:00Z', expected: undefined },
    { input: '2020-01-01T10:60:00Z', expected: undefined },
    { input: '2020-01-01T10:00:60Z', expected: undefined },
    { input: '2020-01-01T10:00:00+24:00', expected: undefined },
    { input: '2020-01-01T10:00:00', expected: undefined },
    { input: '2020-01-01', expected: undefined },
    { input: '1.6e12', expected: undefined },
    { input: '2020-01-01T10:00:00Z\n', expected: undefined },
    { input: 'Thu, 01 Jan 2020 10:00:00 GMT', expected: undefined },
  ]
  for (const { input, expected } of table)
    it(`${JSON.stringify(input)}: ${expected}`, () => {
      const ms = parseInstant(input)
      assert.equal(ms === undefined ? undefined : new Date(ms).toISOString(), expected)
    })
})

describe('deadLetter', () => {
  const record = { topic: 'posts', partition: 2, offset: 7, timestamp: now }

  it('names the record and keeps its bytes', () => {
    assert.deepEqual(deadLetter({ ...record, value: Buffer.from('\ufeff{') }, 'why'), {
      origin: 'posts/2/7',
      reason: 'why',
      payload: '\ufeff{',
      payloadBytes: 4,
      appendedAt: '2026-11-24T12:00:00.000Z',
    })
  })

  it('is well formed for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        const { payload, payloadBytes } = deadLetter({ ...record, value }, '')
        assert.ok(payload.isWellFormed())
        assert.equal(payloadBytes, value.byteLength)
      }),
    )
  })

  it('cuts at 64 KiB, between characters', () => {
    const value = Buffer.from(`a${'\u{1F4C9}'.repeat(maxPayloadBytes / 4)}`)
    const { payload, payloadBytes } = deadLetter({ ...record, value }, '')
    assert.equal(payload, `a${'\u{1F4C9}'.repeat(maxPayloadBytes / 4 - 1)}`)
    assert.equal(payloadBytes, maxPayloadBytes + 1)
  })
})
