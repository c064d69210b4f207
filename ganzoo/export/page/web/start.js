if (!page.failed) start().catch((error) => page.fail(`The model cannot run here: ${error.message}`));
