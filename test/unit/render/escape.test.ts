import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	escapeMarkdown,
	escapeTerminal,
	escapeWorkflowData,
	escapeWorkflowProperty,
	escapeXml,
	markdownCode,
	markdownFence,
} from "../../../controller/plan/render/escape.ts";

const ESC = "\u001b";

describe("what AWS or git says is only ever text", () => {
	it("a terminal is never given a control character", () => {
		fc.assert(
			fc.property(fc.string({ unit: "binary" }), (s) => {
				expect(escapeTerminal(s)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
			}),
		);
	});

	it("control characters stay readable", () => {
		expect(escapeTerminal(`a${ESC}[31mred`)).toBe("a\\x1b[31mred");
		expect(escapeTerminal("two\nlines\tand a tab")).toBe("two\\nlines\\tand a tab");
		expect(escapeTerminal("\u202egnp.exe")).toBe("\\u202egnp.exe");
		expect(escapeTerminal("arn:aws:s3:::bücher/*")).toBe("arn:aws:s3:::bücher/*");
	});

	it("Markdown gets no cell, mention, link, tag or code of its own", () => {
		expect(escapeMarkdown("@team | `x` <img src=x> **b** [l](http://evil)")).toBe(
			"&#64;team \\| \\`x\\` &lt;img src=x&gt; \\*\\*b\\*\\* \\[l\\](http&#58;//evil)",
		);
		fc.assert(
			fc.property(fc.string(), (s) => {
				expect(escapeMarkdown(s)).not.toMatch(/@|<|>|(?<!\\)[|`]/);
			}),
		);
	});

	it("a code span cannot be closed from inside, nor can a cell", () => {
		expect(markdownCode("s3:Get*")).toBe("`s3:Get*`");
		expect(markdownCode("a`b|c")).toBe("`` a`b\\|c ``");
		expect(markdownFence(["no", "```` here"])).toBe("`````");
	});

	it("a workflow command cannot be forged", () => {
		expect(escapeWorkflowData("100%\n::error::x")).toBe("100%25%0A::error::x");
		expect(escapeWorkflowProperty("a,b:c")).toBe("a%2Cb%3Ac");
	});

	it("XML is well-formed whatever it says", () => {
		expect(escapeXml(`<a b="c">&'\u0000`)).toBe("&lt;a b=&quot;c&quot;&gt;&amp;&apos;\\x00");
	});
});
