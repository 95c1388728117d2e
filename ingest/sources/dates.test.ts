import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { dateOfNumber, parseItemDate } from './dates.ts'

const unknown = { withoutZone: 'unknown' } as const
const iso = (text: string) => {
  const date = parseItemDate(text, unknown)
  return date && new Date(date.ms).toISOString()
}

describe('parseItemDate', () => {
  for (const [input, expected] of [
    // RFC 822 and what is sent in its name
    ['Mon, 02 Jan 2006 15:04:05 GMT', '2006-01-02T15:04:05.000Z'],
    ['Mon, 02 Jan 2006 15:04:05 -0700', '2006-01-02T22:04:05.000Z'],
    ['02 Jan 06 15:04 EST', '2006-01-02T20:04:00.000Z'],
    ['Mon, 2 Jan 2006 15:04:05 EDT', '2006-01-02T19:04:05.000Z'],
    ['  Monday, 02 January 2006 15:04:05 UT \n', '2006-01-02T15:04:05.000Z'],
    ['Tue, 02 Jan 2006 15:04:05 Z', '2006-01-02T15:04:05.000Z'],
    ['Thurs, 05 Sept 2024 08:00:00 +0200', '2024-09-05T06:00:00.000Z'],
    ['05-Sep-2024 08:00:00 CEST', '2024-09-05T06:00:00.000Z'],
    ['Mon, May 25 2020 04:45:26 +0000', '2020-05-25T04:45:26.000Z'],
    ['May 25, 2020 4:45 PM PDT', '2020-05-25T23:45:00.000Z'],
    ['25 May 2020, 12:05 am GMT', '2020-05-25T00:05:00.000Z'],
    ['Wed, 05 Jul 2023 10:00:00 GMT+2', '2023-07-05T08:00:00.000Z'],
    ['Wed, 05 Jul 2023 10:00:00 +02:00', '2023-07-05T08:00:00.000Z'],
    ['2017-08-01 13:55:44.364419679 +0200 CEST', '2017-08-01T11:55:44.364Z'],
    // RFC 3339, ISO 8601 and theirs
    ['2024-05-01T10:00:00Z', '2024-05-01T10:00:00.000Z'],
    ['2024-05-01T10:00:00.123456+05:30', '2024-05-01T04:30:00.123Z'],
    ['2024-05-01 10:00:00+0200', '2024-05-01T08:00:00.000Z'],
    ['2024-05-01T10:00Z', '2024-05-01T10:00:00.000Z'],
    ['2024-05-01T10:00:00 America/New_York', undefined],
    // Not said, or not so
    ['2024-05-01T10:00:00', undefined],
    ['Mon, 02 Jan 2006 15:04:05', undefined],
    ['Mon, 02 Jan 2006 15:04:05 IST', undefined],
    ['Mon, 02 Jan 2006 15:04:05 XYZ', undefined],
    ['Mon, 02 Jan 2006 15:04:05 +9900', undefined],
    ['30 Feb 2024 10:00:00 GMT', undefined],
    ['2024-02-30', undefined],
    ['01 Foo 2024 10:00:00 GMT', undefined],
    ['01 Jan 2024 25:00:00 GMT', undefined],
    ['01 Jan 2024 13:00 pm GMT', undefined],
    ['01 Jan 1969 10:00:00 GMT', undefined],
    ['yesterday', undefined],
    ['1714557600', undefined],
    ['', undefined],
    ['0000-00-00T00:00:00Z', undefined],
    [`01 Jan 2024 10:00:00 GMT${' '.repeat(200)}x`, undefined],
  ] as const)
    it(`reads ${JSON.stringify(input.slice(0, 60))} as ${expected}`, () => {
      assert.equal(iso(input), expected)
    })

  it('knows a day, and that it knows only the day', () => {
    const midnight = Date.parse('2024-05-01T00:00:00Z')
    for (const text of ['2024-05-01', '1 May 2024', 'May 1, 2024'])
      assert.deepEqual(parseItemDate(text, unknown), { ms: midnight, exact: false })
  })

  it('takes times without a zone for UTC only where it is told to', () => {
    const date = parseItemDate('2024-05-01T10:00:00', { withoutZone: 'utc' })
    assert.deepEqual(date, { ms: Date.parse('2024-05-01T10:00:00Z'), exact: true })
  })

  it('reads what toUTCString and toISOString write', () => {
    const dates = fc.date({ min: new Date(0), max: new Date('2299-12-31'), noInvalidDate: true })
    fc.assert(
      fc.property(dates, (date) => {
        const second = Math.floor(date.getTime() / 1_000) * 1_000
        assert.equal(parseItemDate(date.toUTCString(), unknown)?.ms, second)
        assert.equal(parseItemDate(date.toISOString(), unknown)?.ms, date.getTime())
      }),
    )
  })

  it('answers every text', () => {
    const words = fc.constantFrom(
      'Mon,',
      '02',
      'Jan',
      '2006',
      '15:04:05',
      'GMT',
      '+0100',
      '-',
      'pm',
      ' ',
    )
    const text = fc.oneof(
      fc.string(),
      fc.array(words).map((parts) => parts.join(' ')),
    )
    fc.assert(
      fc.property(text, (value) => {
        const date = parseItemDate(value, { withoutZone: 'utc' })
        assert.ok(date === undefined || Number.isInteger(date.ms))
      }),
    )
  })
})

describe('dateOfNumber', () => {
  it('counts in the unit it is told, from 1970 to 2299', () => {
    assert.equal(dateOfNumber(1_714_557_600, 1_000)?.ms, 1_714_557_600_000)
    assert.equal(dateOfNumber(1_714_557_600_000, 1)?.ms, 1_714_557_600_000)
    for (const value of [-1, 1e300, Number.NaN, Number.POSITIVE_INFINITY])
      assert.equal(dateOfNumber(value, 1_000), undefined)
  })
})
