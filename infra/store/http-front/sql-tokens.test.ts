import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type SqlToken, sqlTokens } from './sql-tokens.ts'

const solid = (sql: string): [SqlToken['kind'], string][] =>
  [...sqlTokens(sql)].filter(({ kind }) => kind !== 'space').map(({ kind, text }) => [kind, text])

describe('sqlTokens', () => {
  it('leaves nothing out', () => {
    const pieces = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom("'", '`', '"', '\\', '--', '/*', '*/', '\n', '$$', '{a:String}', 'FORMAT'),
    )
    fc.assert(
      fc.property(fc.array(pieces), (parts) => {
        const sql = parts.join('')
        const tokens = [...sqlTokens(sql)]
        assert.equal(tokens.map((token) => token.text).join(''), sql)
        for (const { at, text } of tokens) assert.equal(sql.slice(at, at + text.length), text)
      }),
    )
  })

  const cases: { name: string; sql: string; expected: [SqlToken['kind'], string][] }[] = [
    {
      name: 'texts and names that hold other pieces',
      sql: "'it''s {a:B} \\' --' `a ``;` \"x\"\"\"",
      expected: [
        ['text', "'it''s {a:B} \\' --'"],
        ['quoted-name', '`a ``;`'],
        ['quoted-name', '"x"""'],
      ],
    },
    {
      name: 'comments of three kinds',
      sql: "-- it's\n/* ; '\n*/ # and\nx",
      expected: [
        ['comment', "-- it's"],
        ['comment', "/* ; '\n*/"],
        ['comment', '# and'],
        ['word', 'x'],
      ],
    },
    {
      name: 'parameters with types of their own',
      sql: "{at:DateTime64(3, 'UTC')};",
      expected: [
        ['parameter', "{at:DateTime64(3, 'UTC')}"],
        ['symbol', ';'],
      ],
    },
    {
      name: 'a text between tags',
      sql: "$x$ it's; $$ $x$ 1",
      expected: [
        ['text', "$x$ it's; $$ $x$"],
        ['word', '1'],
      ],
    },
    {
      name: 'a text without an end',
      sql: "'ab",
      expected: [
        ['symbol', "'"],
        ['word', 'ab'],
      ],
    },
  ]
  for (const { name, sql, expected } of cases)
    it(`finds ${name}`, () => assert.deepEqual(solid(sql), expected))
})
