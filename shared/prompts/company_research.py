"""What the agents of the task company_research are told. The same words in every framework."""

from __future__ import annotations

from shared.prompts.agent_prompt import AgentPrompt

_LIST_THEM = """\
list every fact about {item} from these results as a short bullet point, under the headings Overview, \
Leadership, Products and services, Recent news, Market position, Key figures. Keep every name, number and \
date. Add nothing that is not in the results."""

PROMPTS: dict[str, AgentPrompt] = {
    "researcher": AgentPrompt(
        instructions=(
            "You are a company researcher. You gather facts and list them by category. "
            "You use only the search results. You keep names, numbers and dates exactly as they are, "
            "and you never invent a fact."
        ),
        request=f"""\
Gather the facts on {{item}} (as of {{as_of}}) from the search results below.

{{results}}

Now {_LIST_THEM}""",
        request_with_tools=f"""\
Gather the facts on {{item}} (as of {{as_of}}). Call the tool `search` once for each of these queries: \
overview, leadership, products, news, market, financials.

Then {_LIST_THEM}""",
    ),
    "analyst": AgentPrompt(
        instructions=(
            "You are a business analyst. You draw conclusions from facts, and you give the reason for each. "
            "You use only the facts you are given."
        ),
        request="""\
Analyse {item} from the facts that the researcher gathered. Write these five sections, each with exactly two \
bullet points. Each point is one sentence: your conclusion, and the fact that it follows from.
Strengths
Risks
Market trends
Competitive advantages
Strategic insights""",
    ),
    "writer": AgentPrompt(
        instructions=(
            "You are a business writer. You write clear, complete reports in plain language. "
            "You use only the facts and the analysis you are given."
        ),
        request="""\
Write the final report on {item} for a business reader, from the researcher's facts and the analyst's \
analysis. It is in Markdown, 500 to 800 words long, and has all of these six sections, in this order:
## Executive Summary
## Company Overview
## Products & Services
## Market Position
## Key Insights
## Conclusion

Each section has about 100 words in full sentences, with names, numbers and dates from the facts. Say \
nothing twice. Answer with the complete report alone.""",
    ),
}
