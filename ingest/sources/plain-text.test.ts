import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { lineOfHtml, plainLine, plainText, textOfHtml } from './plain-text.ts'

describe('textOfHtml', () => {
  for (const { name, html, expected } of [
    {
      name: 'paragraphs',
      html: '<p>One</p><p>Two &amp; three</p>',
      expected: 'One\n\nTwo & three',
    },
    { name: 'line breaks', html: 'One<br/>two', expected: 'One\ntwo' },
    {
      name: 'script and style',
      html: 'a<script>alert("x")</script><style>p{}</style>b',
      expected: 'ab',
    },
    { name: 'an unclosed script', html: 'a<script>alert(1)', expected: 'a' },
    {
      name: 'images and links',
      html: '<a href="http://x/">Read</a> <img src=x alt="logo">on',
      expected: 'Read on',
    },
    {
      name: 'named and numbered characters',
      html: 'AT&amp;T &euro;5 &#8220;q&#x201D;&nbsp;x',
      expected: 'AT&T €5 “q” x',
    },
    { name: 'a comparison', html: 'P/E < 5 & falling', expected: 'P/E < 5 & falling' },
    { name: 'headings in their case', html: '<h1>Title</h1>text', expected: 'Title\n\ntext' },
    { name: 'lists', html: '<ul><li>a</li><li>b</li></ul>', expected: '- a\n- b' },
    {
      name: 'text that is none',
      html: '  \u0000 plain\u0007 text ',
      expected: 'plain text',
    },
    { name: 'tags that never end', html: '<p><b>open', expected: 'open' },
    { name: 'a comment', html: 'a<!-- <p>b</p> -->c', expected: 'ac' },
  ])
    it(`reads ${name}`, () => {
      assert.equal(textOfHtml(html, 100), expected)
    })

  it('cuts at whole characters', () => {
    assert.equal(textOfHtml('😀'.repeat(10), 4), '😀'.repeat(4))
  })

  it('gets through deep and long documents', () => {
    assert.equal(typeof textOfHtml('<div>'.repeat(50_000), 100), 'string')
    assert.equal(textOfHtml(`x${'<b>'.repeat(30_000)}`, 100), 'x')
    assert.equal(textOfHtml(`<p>${'y'.repeat(1_000_000)}`, 100).length, 100)
  })

  it('leaves no control character, no lone surrogate and no more than asked for', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('<p>', '</p>', '<br>', '&#0;', '&#55296;', '\ud800'),
    )
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = textOfHtml(pieces.join(''), 50)
        assert.ok(text.isWellFormed())
        assert.ok([...text].length <= 50)
        assert.doesNotMatch(text, /[^\P{Cc}\n]/u)
      }),
    )
  })
})

it('puts a title on one line', () => {
  assert.equal(lineOfHtml(' Shares &lt;XYZ&gt;\n\n<b>fall</b> ', 100), 'Shares <XYZ> fall')
  assert.equal(plainLine('a\r\nb\u2028c', 100), 'a b c')
})

it('keeps the marks of plain text', () => {
  assert.equal(plainText('1 <b>2</b> &amp; 3\r\n\r\n\r\n4', 100), '1 <b>2</b> &amp; 3\n\n4')
})
