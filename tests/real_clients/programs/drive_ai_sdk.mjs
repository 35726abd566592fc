// The AI SDK (npm `ai`, `@ai-sdk/openai`, `@ai-sdk/azure`) with schemas of zod 4, against the gateway.
// Node finds no packages from here: they are loaded from where AZURE_RESPONSES_NODE_MODULES points.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const errand = JSON.parse(process.argv[2]);
const require = createRequire(`${process.env.AZURE_RESPONSES_NODE_MODULES}/here.js`);
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const { generateText, Output, stepCountIs, streamText, tool } = await load("ai");
const { createOpenAI } = await load("@ai-sdk/openai");
const { createAzure } = await load("@ai-sdk/azure");
const { z } = await load("zod");

const row = errand.rows[0].litellm_params;
const MODEL = "gpt-5-mini";
const openai = createOpenAI({ baseURL: `${errand.url}/v1`, apiKey: errand.key });
const azure = createAzure({ baseURL: `${errand.url}/openai`, apiKey: errand.key });
const direct = createAzure({ baseURL: `${row.api_base}/openai/v1`, apiKey: row.api_key });
const models = {
  responses: openai(MODEL),
  chat: openai.chat(MODEL),
  azure: azure.responses(MODEL),
  direct: direct.responses(MODEL),
};

const weather = tool({
  description: "The weather of a city.",
  inputSchema: z.object({ city: z.string(), days: z.number().int().min(1).max(7) }),
  execute: async ({ city, days }) => `${days} days of sun in ${city}`,
});

async function tools(model) {
  const result = await generateText({
    model,
    tools: { weather },
    stopWhen: stepCountIs(3),
    prompt: "What is the weather in Rome for 3 days?",
  });
  return { text: result.text, steps: result.steps.length };
}

async function structured(model) {
  const schema = z.object({ name: z.string(), age: z.number().int() });
  const { output } = await generateText({
    model,
    output: Output.object({ schema }),
    prompt: "My friend is called Ada Lovelace and she is 36 years old.",
  });
  return output;
}

async function streamed(model) {
  let text = "";
  for await (const piece of streamText({ model, prompt: "Reply with exactly: pong" }).textStream) {
    text += piece;
  }
  return text;
}

async function turns(model) {
  const messages = [{ role: "user", content: "My name is Ada." }];
  const first = await generateText({ model, messages });
  messages.push(...first.response.messages, { role: "user", content: "What is my name?" });
  return (await generateText({ model, messages })).text;
}

async function see(work) {
  try {
    return { seen: await work(), requests: [] };
  } catch (error) {
    return { error: `${error.stack} ${error.responseBody ?? ""}`, requests: [] };
  }
}

const cases = {};
for (const [name, model] of Object.entries(models)) {
  for (const run of [tools, structured, streamed, turns]) {
    cases[`${name} ${run.name}`] = await see(() => run(model));
  }
}
console.log(JSON.stringify({ gateway: cases }));
