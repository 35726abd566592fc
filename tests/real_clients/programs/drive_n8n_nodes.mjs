// @langchain/openai with what n8n's nodes pass to it: a base URL, a key, and streamed chats or Responses.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const errand = JSON.parse(process.argv[2]);
const require = createRequire(`${process.env.AZURE_RESPONSES_NODE_MODULES}/here.js`);
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const { ChatOpenAI } = await load("@langchain/openai");
const { tool } = await load("@langchain/core/tools");
const { HumanMessage, ToolMessage } = await load("@langchain/core/messages");
const { z } = await load("zod");

const fields = (model, useResponsesApi) => ({
  apiKey: errand.key,
  model,
  timeout: 60000,
  maxRetries: 2,
  configuration: { baseURL: `${errand.url}/v1` },
  useResponsesApi,
});
const models = {
  chat: new ChatOpenAI(fields("gpt-5-mini", false)),
  responses: new ChatOpenAI(fields("gpt-5-mini", true)),
  kimi: new ChatOpenAI(fields("kimi-k2.5", false)),
};
const weather = tool(async ({ city }) => `sun in ${city}`, {
  name: "weather",
  description: "The weather of a city.",
  schema: z.object({ city: z.string() }),
});

async function invoked(model) {
  return (await model.invoke("Reply with exactly: pong")).text;
}

async function streamed(model) {
  let text = "";
  let total = 0;
  for await (const chunk of await model.stream("Reply with exactly: pong")) {
    text += chunk.text;
    total += chunk.usage_metadata?.total_tokens ?? 0;
  }
  return { text, total };
}

async function agent(model) {
  const messages = [new HumanMessage("What is the weather in Rome?")];
  const bound = model.bindTools([weather]);
  const first = await bound.invoke(messages);
  const call = first.tool_calls[0];
  const result = new ToolMessage({ content: await weather.invoke(call.args), tool_call_id: call.id });
  return (await bound.invoke([...messages, first, result])).text;
}

async function listed() {
  const reply = await fetch(`${errand.url}/v1/models`, { headers: { authorization: `Bearer ${errand.key}` } });
  return (await reply.json()).data.map((model) => model.id);
}

async function see(work) {
  try {
    return { seen: await work(), requests: [] };
  } catch (error) {
    return { error: `${error.stack}`, requests: [] };
  }
}

const cases = { listed: await see(listed) };
for (const [name, model] of Object.entries(models)) {
  for (const run of [invoked, streamed, agent]) {
    cases[`${name} ${run.name}`] = await see(() => run(model));
  }
}
console.log(JSON.stringify({ gateway: cases }));
