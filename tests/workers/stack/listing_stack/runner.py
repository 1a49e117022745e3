"""Carries out a plan in a browser of its own, one for each submission."""

import os
import time

from playwright.sync_api import sync_playwright

NAP_S = float(os.environ.get("STEP_NAP_S", "0.5"))
GOTO_MS = float(os.environ.get("GOTO_TIMEOUT_MS", "30000"))
ACTION_MS = float(os.environ.get("ACTION_TIMEOUT_MS", "10000"))
SUCCESS_INDICATORS = ["success", "thank you", "submitted", "received"]


def run_plan(job_id, directory, plan):
    started = time.time()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(headless=True)
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            for step in plan:
                execute_step(page, step)
                time.sleep(NAP_S)
            html = page.content().lower()
            browser.close()
        found = [word for word in SUCCESS_INDICATORS if word in html]
        status = "submitted" if found else "failed"
        error = None
    except Exception as problem:
        status, error = "failed", str(problem)
    if error:
        print(f"{job_id} {directory}: {error}", flush=True)
    return {"status": status, "duration_ms": int((time.time() - started) * 1000), "error": error}


def execute_step(page, step):
    action = step["action"]
    if action == "goto":
        page.goto(step["url"], wait_until="networkidle", timeout=GOTO_MS)
    elif action == "fill":
        page.fill(step["selector"], step.get("value") or "", timeout=ACTION_MS)
    elif action == "click":
        page.click(step["selector"], timeout=ACTION_MS)
    elif action == "select":
        page.select_option(step["selector"], step.get("value"), timeout=ACTION_MS)
    elif action == "wait":
        page.wait_for_load_state("networkidle", timeout=GOTO_MS)
    else:
        raise ValueError(f"Unknown action: {action}")
