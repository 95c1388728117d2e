import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type FeedReading, readFeed } from './feed-items.ts'
import type { Item } from './item.ts'
import { maxItems } from './novelty.ts'

const address = 'https://wire.example/feeds/top.xml'
const read = (text: string): FeedReading[] | undefined =>
  readFeed({ text, url: address }, { withoutZone: 'unknown' })

function itemsOf(text: string): Item[] {
  return (read(text) ?? []).flatMap((reading) => (reading.ok ? [reading.item] : []))
}

const rss = (items: string, channel = '<link>https://wire.example/</link>') =>
  `<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:atom="http://www.w3.org/2005/Atom">
  <channel><title>Wire</title>${channel}${items}</channel></rss>`

const shapeOf = ({ date, ...item }: Item) => ({
  ...Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined)),
  date: date && new Date(date.ms).toISOString(),
})

describe('readFeed', () => {
  for (const { name, text, expected } of [
    {
      name: 'RSS 2.0',
      text: rss(`<item><title>Nordbank &amp; Co. cut outlook</title><link>https://wire.example/a/1</link>
        <guid isPermaLink="false">wire-1</guid><pubDate>Tue, 05 Mar 2024 09:30:00 GMT</pubDate>
        <dc:creator><![CDATA[A. Writer]]></dc:creator>
        <description><![CDATA[<p>Profit <b>fell</b>.</p><script>x()</script>]]></description></item>`),
      expected: {
        id: 'wire-1',
        title: 'Nordbank & Co. cut outlook',
        text: 'Profit fell.',
        url: 'https://wire.example/a/1',
        author: 'A. Writer',
        date: '2024-03-05T09:30:00.000Z',
      },
    },
    {
      name: 'markup that is escaped twice',
      text: rss(`<item><title>AT&amp;amp;T &amp;lt;b&amp;gt;up&amp;lt;/b&amp;gt;</title><guid>g</guid>
        <description>&lt;p&gt;Q&amp;amp;A&lt;/p&gt;</description></item>`),
      expected: { id: 'g', title: 'AT&T <b>up</b>', text: 'Q&A', date: undefined },
    },
    {
      name: 'a title alone, and no guid',
      text: rss('<item><title>Only a title</title><link> /a/2?x=1&amp;y=2 </link></item>'),
      expected: {
        id: 'https://wire.example/a/2?x=1&y=2',
        text: 'Only a title',
        url: 'https://wire.example/a/2?x=1&y=2',
        date: undefined,
      },
    },
    {
      name: 'a guid that is the link, and a date of Dublin Core',
      text: rss(`<item><title>T</title><guid>https://wire.example/p/3</guid><pubDate>soon</pubDate>
        <dc:date>2024-03-05T10:00:00+01:00</dc:date><content:encoded>&lt;p&gt;Full&lt;/p&gt;</content:encoded></item>`),
      expected: {
        id: 'https://wire.example/p/3',
        title: 'T',
        text: 'Full',
        url: 'https://wire.example/p/3',
        date: '2024-03-05T09:00:00.000Z',
      },
    },
    {
      name: 'links relative to the feed where the channel names no address',
      text: rss(
        '<item><title>T</title><link>../a/4</link><guid isPermaLink="false">g</guid></item>',
        '',
      ),
      expected: { id: 'g', text: 'T', url: 'https://wire.example/a/4', date: undefined },
    },
    {
      name: 'a link that is no web address',
      text: rss(
        '<item><title>T</title><link>javascript:alert(1)</link><guid isPermaLink="false">g</guid></item>',
      ),
      expected: { id: 'g', text: 'T', date: undefined },
    },
    {
      name: 'numbers as text',
      text: rss('<item><title>0123</title><guid isPermaLink="false">0042</guid></item>'),
      expected: { id: '0042', text: '0123', date: undefined },
    },
    {
      name: 'RSS 1.0',
      text: `<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
        <channel rdf:about="https://wire.example/"><title>W</title><link>https://wire.example/</link><description>d</description></channel>
        <item rdf:about="https://wire.example/r/1"><title>One</title><link>https://wire.example/r/1</link><description>Text</description><dc:date>2024-03-05T10:00:00Z</dc:date></item></rdf:RDF>`,
      expected: {
        id: 'https://wire.example/r/1',
        title: 'One',
        text: 'Text',
        url: 'https://wire.example/r/1',
        date: '2024-03-05T10:00:00.000Z',
      },
    },
    {
      name: 'Atom with bases upon bases and XHTML',
      text: `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://blog.example/d/"><title>B</title><id>i</id><updated>2024-03-05T10:00:00Z</updated><author><name>Blog</name></author>
        <entry xml:base="e/"><id>tag:blog.example,2024:1</id><title type="html">Up &amp;lt;5%&amp;gt; &lt;i&gt;today&lt;/i&gt;</title>
        <link rel="self" href="self.xml"/><link href="a.html"/><published>2024-03-05T09:00:00Z</published><updated>2024-03-05T12:00:00Z</updated>
        <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Hi <b>there</b> &amp; you</div></content></entry></feed>`,
      expected: {
        id: 'tag:blog.example,2024:1',
        title: 'Up <5%> today',
        text: 'Hi there & you',
        url: 'https://blog.example/d/e/a.html',
        author: 'Blog',
        date: '2024-03-05T09:00:00.000Z',
      },
    },
    {
      name: 'Atom with plain text that has angle brackets',
      text: `<feed xmlns="http://www.w3.org/2005/Atom"><title>B</title><id>i</id><updated>2024-03-05T10:00:00Z</updated>
        <entry><id>1</id><title>if a &lt;b then</title><updated>2024-03-05T12:00:00Z</updated><summary>x &lt;y and y&gt; z</summary></entry></feed>`,
      expected: {
        id: '1',
        title: 'if a <b then',
        text: 'x <y and y> z',
        date: '2024-03-05T12:00:00.000Z',
      },
    },
    {
      name: 'JSON Feed',
      text: JSON.stringify({
        version: 'https://jsonfeed.org/version/1.1',
        title: 'J',
        home_page_url: 'https://json.example/',
        items: [
          {
            id: 7,
            url: 'p/7',
            title: 'T',
            content_html: '<p>Body</p>',
            date_published: '2024-03-05T10:00:00-05:00',
          },
        ],
      }),
      expected: {
        id: '7',
        title: 'T',
        text: 'Body',
        url: 'https://json.example/p/7',
        date: '2024-03-05T15:00:00.000Z',
      },
    },
  ])
    it(`reads ${name}`, () => {
      assert.deepEqual(itemsOf(text).map(shapeOf), [expected])
    })

  it('gives an item without guid and link an id of its title and date, and refuses one without words', () => {
    const text = rss(
      '<item><title>A</title></item><item><title>B</title></item><item><guid isPermaLink="false">g</guid></item>',
    )
    const [first, second] = itemsOf(text)
    assert.notEqual(first?.id, second?.id)
    assert.deepEqual(
      itemsOf(text).map(({ id }) => id),
      [first?.id, second?.id],
    )
    assert.deepEqual(
      read(text)?.map(({ ok }) => ok),
      [true, true, false],
    )
  })

  const bomb = Array.from(
    { length: 9 },
    (_, i) => `<!ENTITY a${i + 1} "${`&a${i};`.repeat(10)}">`,
  ).join('')
  for (const { name, text } of [
    { name: 'a page', text: '<!doctype html><html><body><p>Not here</p></body></html>' },
    { name: 'nothing', text: '' },
    {
      name: 'a document that was cut off',
      text: rss('<item><title>T</title></item>').slice(0, -40),
    },
    {
      name: 'an external entity',
      text: `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>${rss('<item><title>&x;</title></item>').replace(/<\?.*?\?>/, '')}`,
    },
    { name: 'nesting without end', text: rss(`<item>${'<a>'.repeat(100_000)}`) },
    { name: 'JSON of something else', text: '{"items":[]}' },
  ])
    it(`says that ${name} is no feed`, () => {
      assert.equal(read(text), undefined)
    })

  it('expands no entity of a document', () => {
    const text = `<!DOCTYPE r [<!ENTITY a0 "lol">${bomb}]>${rss('<item><title>&a9;</title></item>').replace(/<\?.*?\?>/, '')}`
    assert.deepEqual(
      itemsOf(text).map((item) => item.text),
      ['&a9;'],
    )
  })

  it('keeps out of prototypes', () => {
    read(rss('<item><title>T</title><__proto__><polluted>1</polluted></__proto__></item>'))
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
  })

  it('bounds how many items it reads', () => {
    assert.equal(read(rss('<item><title>T</title></item>'.repeat(maxItems + 10)))?.length, maxItems)
  })

  it('answers whatever stands in a document', () => {
    const piece = fc.constantFrom(
      '<item>',
      '</item>',
      '<title>',
      '</title>',
      '<![CDATA[',
      ']]>',
      '<link>',
      '&amp;',
      '&#0;',
      '<!--',
      'x',
      '<guid/>',
      '<?x ?>',
      '\u0000',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        for (const item of itemsOf(rss(pieces.join('')))) assert.notEqual(item.text, '')
      }),
    )
  })
})
