#pragma once
#include "webadmin/Visit.h"

// The pages of retention, holds, requests, search, export and audit; as Pages.h.
namespace postern::webadmin::pages {

// HomePage.cpp: the dashboard of everybody who is no administrator, and the records' part of the administrators'.
Response home(Visit& visit);
nlohmann::json recordFacts(const Visit& visit);

// RulesPage.cpp
Response retention(Visit& visit);
Response rulesCsv(Visit& visit);
Response rule(Visit& visit);

// RuleEditPage.cpp
Response newRule(Visit& visit);
Response editRule(Visit& visit);
Response proposeRule(Visit& visit);
Response confirmRuleRemoval(Visit& visit);
Response removeRule(Visit& visit);
Response scopeCount(Visit& visit);

// WhatIfPage.cpp
Response whatIf(Visit& visit);
Response runWhatIf(Visit& visit);
Response whatIfResult(Visit& visit);
Response whatIfCsv(Visit& visit);
Response proposeWhatIf(Visit& visit);

// RunsPage.cpp
Response runs(Visit& visit);
Response confirmRun(Visit& visit);
Response startRun(Visit& visit);
Response confirmClock(Visit& visit);
Response trustClock(Visit& visit);
Response certificates(Visit& visit);
Response certificate(Visit& visit);
Response certificateText(Visit& visit);

// MessagesPage.cpp
Response messages(Visit& visit);
Response message(Visit& visit);
Response verifyMessage(Visit& visit);

// ReadPage.cpp
Response askToRead(Visit& visit);
Response readMessage(Visit& visit);
Response messageHtml(Visit& visit);

// MattersPage.cpp, MatterEditPage.cpp
Response matters(Visit& visit);
Response newMatter(Visit& visit);
Response createMatter(Visit& visit);
Response matter(Visit& visit);
Response editMatter(Visit& visit);
Response setMatter(Visit& visit);
Response addNote(Visit& visit);
Response addCustodian(Visit& visit);
Response confirmCustodianRemoval(Visit& visit);
Response removeCustodian(Visit& visit);
Response confirmMatterClose(Visit& visit);
Response closeMatter(Visit& visit);

// HoldWizardPage.cpp
Response holdWizard(Visit& visit);
Response placeHold(Visit& visit);

// HoldsPage.cpp
Response holds(Visit& visit);
Response hold(Visit& visit);
Response confirmRelease(Visit& visit);
Response releaseHold(Visit& visit);

// NoticePage.cpp
Response notice(Visit& visit);
Response acknowledgeNotice(Visit& visit);
Response stopForm(Visit& visit);
Response stop(Visit& visit);

// WorkPage.cpp
Response work(Visit& visit);
Response request(Visit& visit);
Response decideRequest(Visit& visit);

// ReviewPage.cpp
Response confirmReview(Visit& visit);
Response decideReview(Visit& visit);

// SearchPage.cpp
Response search(Visit& visit);
Response saveSearch(Visit& visit);

// ExportsPage.cpp
Response exports(Visit& visit);
Response newExport(Visit& visit);
Response createExport(Visit& visit);
Response showExport(Visit& visit);
Response exportProgress(Visit& visit);
Response downloadExport(Visit& visit);
Response confirmExportRemoval(Visit& visit);
Response removeExport(Visit& visit);

// AuditPage.cpp
Response audit(Visit& visit);
Response auditCsv(Visit& visit);
Response auditEntry(Visit& visit);
Response verifyAudit(Visit& visit);
Response auditExport(Visit& visit);

// ReportsPage.cpp
Response reports(Visit& visit);
Response report(Visit& visit);
Response reportFile(Visit& visit);

// EvidencePage.cpp
Response evidencePacks(Visit& visit);
Response makeEvidencePack(Visit& visit);
Response downloadEvidencePack(Visit& visit);
Response removeEvidencePack(Visit& visit);

}  // namespace postern::webadmin::pages
