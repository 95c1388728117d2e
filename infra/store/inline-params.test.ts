import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inlineParams } from './inline-params.ts'

describe('inlineParams', () => {
  const cases = [
    {
      name: 'a text',
      sql: 'SELECT {a:String}',
      params: { a: "it's \\ \0" },
      expected: "SELECT 'it\\'s \\\\ \\0'",
    },
    {
      name: 'a number of its type',
      sql: 'SELECT {a:Int64}',
      params: { a: -1 },
      expected: 'SELECT CAST(-1 AS Int64)',
    },
    {
      name: 'a type with arguments',
      sql: "SELECT {a:DateTime64(3, 'UTC')}",
      params: { a: '2026-01-01' },
      expected: "SELECT CAST('2026-01-01' AS DateTime64(3, 'UTC'))",
    },
    {
      name: 'a list',
      sql: 'SELECT {a:Array(String)}',
      params: { a: ['x', "y'"] },
      expected: "SELECT CAST(['x', 'y\\''] AS Array(String))",
    },
    {
      name: 'null and truth',
      sql: 'SELECT {a:Nullable(Bool)}, {b:Bool}',
      params: { a: null, b: true },
      expected: 'SELECT CAST(null AS Nullable(Bool)), CAST(true AS Bool)',
    },
    {
      name: 'a value that looks like a placeholder',
      sql: 'SELECT {a:String}, {b:String}',
      params: { a: '{b:String}', b: '$&' },
      expected: "SELECT '{b:String}', '$&'",
    },
    {
      name: 'a lone surrogate',
      sql: 'SELECT {a:String}',
      params: { a: '\ud800' },
      expected: "SELECT '\ufffd'",
    },
    {
      name: 'a name without a value',
      sql: 'SELECT {a:String}, {toString:String}',
      params: {},
      expected: 'SELECT {a:String}, {toString:String}',
    },
  ]
  for (const { name, sql, params, expected } of cases)
    it(name, () => assert.equal(inlineParams(sql, params), expected))
})
