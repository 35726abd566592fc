// The Agents SDK (npm `@openai/agents`) with a zod tool and a session, against gateway and emulator.
// Node finds no packages from here: they are loaded from where AZURE_RESPONSES_NODE_MODULES points.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const errand = JSON.parse(process.argv[2]);
const require = createRequire(`${process.env.AZURE_RESPONSES_NODE_MODULES}/here.js`);
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const agents = await load("@openai/agents");
const { OpenAI } = await load("openai");
const { z } = await load("zod");

// It would send what was asked and answered to OpenAI.
agents.setTracingDisabled(true);
const MODEL = "gpt-5-mini";
const row = errand.rows[0].litellm_params;
const clients = {
  gateway: new OpenAI({ baseURL: `${errand.url}/v1`, apiKey: errand.key }),
  emulator: new OpenAI({ baseURL: `${row.api_base}/openai/v1`, apiKey: row.api_key }),
};
const models = {
  responses: agents.OpenAIResponsesModel,
  chat: agents.OpenAIChatCompletionsModel,
};

const weather = agents.tool({
  name: "weather",
  description: "The weather of a city.",
  parameters: z.object({ city: z.string(), days: z.number().int().min(1).max(7) }),
  execute: async ({ city, days }) => `${days} days of sun in ${city}`,
});

async function session(model) {
  const agent = new agents.Agent({ name: "Guide", model, tools: [weather] });
  const kept = new agents.MemorySession();
  const texts = [];
  for (const asked of [
    "My name is Ada.",
    "What is the weather in Rome for 3 days?",
    "What is my name?",
  ]) {
    texts.push((await agents.run(agent, asked, { session: kept })).finalOutput);
  }
  return texts;
}

async function structured(model) {
  const outputType = z.object({ name: z.string(), age: z.number().int() });
  const agent = new agents.Agent({ name: "Guide", model, outputType });
  return (await agents.run(agent, "My friend is called Ada Lovelace and she is 36 years old."))
    .finalOutput;
}

async function streamed(model) {
  const agent = new agents.Agent({ name: "Guide", model, tools: [weather] });
  const asked = "What is the weather in Rome for 3 days?";
  const result = await agents.run(agent, asked, { stream: true });
  let text = "";
  for await (const piece of result.toTextStream()) {
    text += piece;
  }
  return text;
}

async function see(work) {
  try {
    return { seen: await work(), requests: [] };
  } catch (error) {
    return { error: error.stack, requests: [] };
  }
}

const report = {};
for (const [mode, client] of Object.entries(clients)) {
  report[mode] = {};
  for (const [name, Model] of Object.entries(models)) {
    for (const work of [session, structured, streamed]) {
      report[mode][`${name} ${work.name}`] = await see(() => work(new Model(client, MODEL)));
    }
  }
}
console.log(JSON.stringify(report));
