-- What people write: the desk of Rookery, which rents out printers and runs a document service.
--
-- A topic is what a ticket is about. A phrase belongs to a topic, or to "any" of them, and has a kind: title and
-- problem come from the customer, the question from the agent, the detail is the customer's answer, the solution ends
-- the ticket, a note stays among agents. Words in braces are replaced for each ticket.

CREATE TEMP TABLE topic
(
	name text PRIMARY KEY,
	team text,
	weight real,
	urgency real,		-- 0 to 1: how much of it is high or urgent
	tags text[]
);

COPY pg_temp.topic FROM stdin (DELIMITER '|');
sync|Documents|11|0.3|{sync}
upload|Documents|6|0.2|{upload}
sharing|Documents|7|0.2|{sharing}
search|Documents|4|0.1|{search}
export|Documents|5|0.2|{export,editor}
slow|Documents|5|0.4|{performance}
restore|Documents|4|0.6|{restore}
idea|Documents|4|0|{feature-request}
jam|Printing|9|0.3|{hardware,paper}
offline|Printing|10|0.5|{network,hardware}
toner|Printing|9|0.1|{supplies}
quality|Printing|5|0.2|{hardware}
driver|Printing|6|0.3|{driver}
scan|Printing|6|0.3|{scan-to-mail}
move|Printing|3|0.1|{on-site}
password|Accounts|10|0.4|{sign-in}
two-factor|Accounts|6|0.4|{sign-in,two-factor}
rights|Accounts|7|0.2|{permissions}
sso|Accounts|3|0.8|{sign-in,sso}
leaver|Accounts|3|0.2|{permissions,leaver}
invoice|Billing|7|0.1|{invoice}
payment|Billing|4|0.5|{payment}
licences|Billing|5|0.1|{licences,sales}
cancel|Billing|2|0.2|{contract}
outage|Accounts|0|1|{sign-in,incident}
\.

CREATE TEMP TABLE phrase
(
	topic text NOT NULL,
	kind text NOT NULL,
	words text NOT NULL,
	id integer GENERATED ALWAYS AS IDENTITY
);

COPY pg_temp.phrase (topic, kind, words) FROM stdin (DELIMITER '|');
sync|title|Files stop syncing on {computer}
sync|title|Folder "{folder}" does not sync any more
sync|title|Sync stuck at {number} files since the update
sync|problem|Since this morning the folder "{folder}" is not synced on {computer}. The icon turns and never stops.
sync|problem|{number} files are shown as waiting, and {colleague} does not see my changes. I restarted it twice.
sync|problem|After the update to {version} the client says "{error}" and leaves out everything in "{folder}".
sync|question|Could you send us the log of the client? It is under Help, Show log. Which version do you have?
sync|question|Does it happen with a new, small file in the same folder as well, or only with the ones that are there?
sync|detail|The log is attached. It is version {version}.
sync|detail|A new file works, it is only the old ones. Some of them have very long names.
sync|solution|A file with a colon in its name stopped the queue. We renamed it, and the client has caught up since.
sync|solution|The local index was damaged. Sign out, choose "Rebuild index" and sign in again: no file is lost by this.
sync|note|Queue shows {error} for one file, all others wait behind it. Same as last week with another customer.
sync|note|Client {version} again. Third ticket this month.
upload|title|Upload of {file} ends with {error}
upload|title|Cannot upload files larger than a few megabytes
upload|title|Upload breaks off at {number} per cent
upload|problem|When I upload {file} the bar goes to {number} per cent, then I get "{error}". Smaller files work.
upload|problem|We need to hand in {file} by Friday and the upload fails each time, with {browser} and on the phone too.
upload|question|How large is the file, and do you go through a proxy or a VPN?
upload|question|Does it work from another network, for example from a phone?
upload|detail|It has 340 MB. Yes, we have a proxy here, but at home it is the same.
upload|detail|From the phone it works. So it is our network?
upload|solution|Your proxy cuts requests after 100 MB. The desktop client sends files in parts, and it works with it.
upload|solution|The limit of your plan was set to 250 MB by mistake. It is 2 GB now. Please try again.
upload|note|Gateway logs show 413 from their side, not ours.
sharing|title|Link to {file} says "no access"
sharing|title|{colleague} cannot open the shared folder "{folder}"
sharing|title|How do I share a folder with a client?
sharing|problem|I sent the link to {file} to a client, and they see only "no access". For me it opens.
sharing|problem|{colleague} was invited to "{folder}" and gets a page that asks for a password nobody has set.
sharing|problem|An external auditor needs read access to "{folder}" until the end of {month}. How is this done?
sharing|question|To which address did you send the invitation? It must be the one that they sign in with.
sharing|question|Is sharing with people outside switched on for your organization? You see it under Settings, Sharing.
sharing|detail|To the private address. I see, they sign in with the one at work.
sharing|detail|It is off, and I cannot change it. {colleague} is our administrator.
sharing|solution|The link was limited to people of your organization. Now everybody with the link can open it.
sharing|solution|The invitation went to another address. We have sent a new one to the right address.
sharing|solution|You can set an end date: choose Share, External, and enter the day. The link ends by itself.
sharing|note|Policy of the organization forbids links. Needs a word from their administrator.
search|title|Search does not find {file}
search|title|Search results are weeks old
search|problem|I know that {file} is in "{folder}", but the search does not find it, neither by name nor by its text.
search|problem|The search only shows what was there in {month}. Everything newer is missing.
search|question|Is it a scanned document? Text in pictures is only found once the text recognition has run.
search|question|Do you find it when you search inside the folder?
search|detail|Yes, it is a scan. And no, I did not know that.
search|detail|Inside the folder it is found.
search|solution|Text recognition is switched on for "{folder}". New scans are found soon, old ones by tomorrow.
search|solution|The index of your organization was {number} hours behind. It has caught up, and we watch it now.
search|note|Indexer restarted at night, backlog is going down.
export|title|PDF export of {file} moves the tables
export|title|Headings are gone after saving {file}
export|title|Export fails with {error}
export|problem|When I export {file} as PDF the tables run over the edge of the page. Last month it was fine.
export|problem|After saving, all headings of {file} are plain text. {colleague} has the same in another document.
export|problem|The export of {file} ends with "{error}". I have tried it {tray} times.
export|question|Which template do you use, and could you attach the document?
export|question|Did this begin with version {version}?
export|detail|The standard one. The document is attached.
export|detail|Yes, before the update it worked.
export|solution|The template had a fixed page width. We corrected it; please export once more.
export|solution|This is fixed in version {version}, which you get tonight. "Reset styles" puts older copies right.
export|note|Reproduced with the customer's template, not with ours.
slow|title|Everything is slow today
slow|title|Opening "{folder}" takes minutes
slow|title|{browser} freezes in "{folder}"
slow|problem|Since about nine o'clock each click takes {number} seconds. Colleagues in {room} see the same.
slow|problem|The folder "{folder}" needs several minutes to open. It has grown a lot in {month}.
slow|question|Could you run the connection test under Help and send us the result?
slow|question|How many files are in the folder, and is the preview switched on?
slow|detail|The test says {number} ms and "good". Still slow.
slow|detail|About 14,000. Preview is on.
slow|solution|One of our storage nodes was overloaded. Your data was moved to another one at noon.
slow|solution|Please switch the preview off for folders of this size, or sort them by year. For "{folder}" we did it.
slow|note|Storage node 7 again, see the report of the platform people.
restore|title|Folder "{folder}" deleted by mistake
restore|title|Please restore {file} as of yesterday
restore|problem|{colleague} has deleted "{folder}" by mistake, and the bin is empty. Can you bring it back?
restore|problem|Somebody saved an empty version over {file}. We need the one of yesterday afternoon.
restore|question|When was it there for the last time? The nearer you can say, the faster we find it.
restore|question|Shall we put it beside the present one or in its place?
restore|detail|Yesterday at about three it was there.
restore|detail|Beside it, please.
restore|solution|"{folder}" is back with {number} files. Permissions are those of before.
restore|solution|The version of yesterday lies beside {file}. Versions are kept for 90 days: right click, Versions.
restore|note|Backup of last night mounted, restore runs.
idea|title|Idea: colours for folders
idea|title|Please add a dark mode to the web client
idea|title|Could the weekly report be sent as a table?
idea|problem|It would help us a lot in {room}. Other programs have it. Is something like this planned?
idea|problem|We would use this every day. I have asked {colleague}, who thinks so too.
idea|question|Thank you for the idea. Could you tell us a bit more about how you would use it?
idea|detail|We have about {number} projects at a time and get lost among them.
idea|solution|We have passed this on to those who plan the product. No promise, but you are not the first to ask.
idea|solution|This comes with version {version}. Thank you for waiting!
idea|note|Added as another vote to the list of wishes.
jam|title|{printer} in {room}: paper jam again
jam|title|Paper jam in tray {tray}, nothing stuck inside
jam|problem|The {printer} in {room} reports a paper jam several times a day. We took out what was stuck.
jam|problem|It says "paper jam, tray {tray}" but there is no paper inside. Switching it off and on does not help.
jam|question|Which paper do you use (weight, recycled or not), and does it happen with tray {tray} only?
jam|question|Please open the rear door and look for small pieces of paper at the second roller. Is there anything?
jam|detail|Recycled, 80 g. Only tray {tray}.
jam|detail|There was a torn corner, indeed. It ran for ten pages and jammed again.
jam|solution|Our technician changed the pickup roller of tray {tray}. {number} test pages went through.
jam|solution|The sensor was covered with dust. Thank you for cleaning it with us on the phone!
jam|note|Pickup roller is at 240,000 pages, due for change anyway. Technician on Thursday.
jam|note|Second time this quarter with this device, offer an exchange.
offline|title|{printer} in {room} is offline
offline|title|Nobody in {room} can print
offline|title|{printer} not found after network change
offline|problem|Since this morning the {printer} in {room} is shown as offline. The panel says "ready".
offline|problem|Print jobs wait for ever. {number} people cannot work, please hurry.
offline|problem|Our IT has changed the network last night. The {printer} is not found any more.
offline|question|Please print the network page from the panel (Menu, Network, Status) and send us the address on it.
offline|question|Can you open the page of the printer in a browser from your computer?
offline|detail|It says 169.254.11.{number}.
offline|detail|No, the browser says that it cannot be reached.
offline|solution|The printer had lost its address. It has a fixed one again, and the queue is running.
offline|solution|The network port in {room} was switched off. Your IT has turned it on; all jobs are out.
offline|note|No DHCP in the new network. Talked to their IT, they will reserve an address.
offline|note|Firmware is two years old, update when on site.
toner|title|Toner for {printer}
toner|title|Black toner low in {room}
toner|title|Wrong toner delivered
toner|problem|The {printer} in {room} shows that the toner is at 1{tray} per cent. Please send a new one.
toner|problem|There is only one black cartridge left for {room}. Please send {tray} more.
toner|problem|We ordered black for the {printer} and got cyan. Please exchange it.
toner|question|Please confirm the address: is {room} still the right place for the delivery?
toner|question|Do you need the large cartridge (12,000 pages) or the standard one?
toner|detail|Yes, the address is right. Reception takes parcels until four.
toner|detail|The large one.
toner|solution|Toner is on its way with number RK-{invoice}. It should be there in two working days.
toner|solution|The cartridges are on their way with number RK-{invoice}.
toner|solution|The right cartridge has been sent. Please put the wrong one into the box that comes with it.
toner|note|Ordered at the supplier, back in stock next week.
quality|title|Stripes on every page, {printer}
quality|title|Printouts are too pale
quality|problem|Every page of the {printer} in {room} has a grey stripe on the right. Cleaning did not help.
quality|problem|Colours are pale since the toner was changed. Letters to clients look bad.
quality|question|Could you print the test page (Menu, Service, Test) and attach a scan of it?
quality|question|How many pages has the drum printed? It is on the status page.
quality|detail|The scan is attached.
quality|detail|It says 98,{tray}00.
quality|solution|The drum was worn out. A new one was put in today, and the test page is clean.
quality|solution|The toner-saving mode was on. It is off now for the {printer}.
quality|note|Stripe every 94 mm: that is the drum.
driver|title|No duplex after driver update
driver|title|{printer} prints strange characters
driver|title|Driver asks for an administrator's password
driver|problem|Since the update to {version} I cannot print on both sides any more. {colleague} still can.
driver|problem|The {printer} prints pages full of characters instead of {file}.
driver|problem|When I add the {printer} the driver asks for an administrator's password that I do not have.
driver|question|Which driver is shown under Properties, Advanced: the one with "PCL" or the one with "PS"?
driver|question|Is it all programs, or only when you print from {browser}?
driver|detail|It says PCL 6.
driver|detail|Only from {browser}. From the editor it works.
driver|solution|A setting was lost in the update: Properties, Device, Duplex unit, "installed". It is set now.
driver|solution|We have given you the right driver through Rookery Connect. Please sign out and in once.
driver|note|Package {version} lacks the duplex setting, told the packaging people.
scan|title|Scan to mail stopped working
scan|title|{printer}: "{error}" when scanning to mail
scan|problem|Since {month} scans from the {printer} in {room} do not arrive. The panel says "sent".
scan|problem|The panel shows "{error}" after some seconds. Scanning to the folder works.
scan|question|Has the password of the mailbox been changed, or has your mail moved to another provider?
scan|question|Is it every address, or only addresses outside your organization?
scan|detail|Yes, the mail moved last week. Nobody thought of the printers.
scan|detail|Only outside. Inside it works.
scan|solution|The new mail server is entered in all your printers. The test scan arrived.
scan|solution|Your mail server refused mails over 10 MB. Scans are sent as compressed PDF now.
scan|note|Needs the new server's name from their IT before we can do anything.
move|title|Move {printer} to {room}
move|title|New {printer} for {room}, when can you come?
move|problem|We are moving within the building. The {printer} has to go to {room} by the end of {month}.
move|problem|We have ordered another {printer}. When can it be set up in {room}?
move|question|Is there a power outlet of its own and a network port? The device has 85 kg: is there a lift?
move|detail|Yes to both, and there is a lift.
move|detail|The network port is ordered and will be there on Monday.
move|solution|The {printer} stands in {room} and prints. Please sign the form that the technician left.
move|note|Technician booked, two people needed because of the weight.
password|title|Cannot sign in
password|title|Password reset mail does not arrive
password|title|Account locked after holidays
password|problem|I cannot sign in since this morning. It says that the password is wrong, but I have not changed it.
password|problem|I asked for a new password three times, and no mail arrives. It is not in the spam folder either.
password|problem|After two weeks of holidays I do not remember my password, and now the account is locked.
password|question|Which address do you use to sign in, and what does the page say word for word?
password|question|Could it be that your caps lock or another keyboard language is on?
password|detail|The one I write from. It says "{error}".
password|detail|No, I have tried that.
password|solution|The account was locked after five wrong attempts. It is open again; please use the link in the mail.
password|solution|Your mail server had put our mails into quarantine. Your IT has released them.
password|solution|The account is open again. Please choose a new password with the link in the mail.
password|note|Identity checked by phone.
two-factor|title|New phone, codes do not work
two-factor|title|Lost phone: please reset two-factor
two-factor|problem|I have a new phone, and the app asks for a code that I do not have. I have no recovery codes.
two-factor|problem|{colleague} has lost the phone and cannot sign in. Please reset the second factor.
two-factor|question|For your safety we ask an administrator of yours to confirm this. Could they write to us?
two-factor|question|Are date and time of the phone right? Codes depend on them.
two-factor|detail|{colleague} is our administrator and reads along.
two-factor|detail|The clock was four minutes off. But it still does not work.
two-factor|solution|The second factor is reset. The next sign-in asks you to set it up again; print the recovery codes.
two-factor|solution|The second factor of {colleague} is reset, and the lost phone is signed out everywhere.
two-factor|note|Confirmation by the administrator has arrived, reset done.
rights|title|Access to "{folder}" for {colleague}
rights|title|New colleague needs an account
rights|title|I can see folders that I should not see
rights|problem|Please give {colleague} access to "{folder}". It is needed for the end of {month}.
rights|problem|On the first of the month a new colleague starts in {room}. Please prepare an account with printing.
rights|problem|I see the folder "{folder}", though I do not work there any more. This is surely not meant to be.
rights|question|Read only, or may they change files as well?
rights|question|Who approves this with you? We need a short note of that person.
rights|detail|Read and change, please.
rights|detail|I have asked, the approval is attached.
rights|solution|{colleague} has access from now on. It may take up to an hour until it shows.
rights|solution|The account is ready and in the right groups. The password comes in a mail of its own.
rights|solution|The rights came from an old group. We removed it, and checked that nothing else depends on it.
rights|note|Group is used by 11 people, do not just delete it.
sso|title|Single sign-on broken: {error}
sso|title|Certificate of our identity provider expires
sso|problem|Nobody of us can sign in by single sign-on. The page ends with "{error}".
sso|problem|Our certificate expires at the end of {month}. What do we have to do so that everybody can go on working?
sso|question|Could you send us the metadata of your identity provider, as a file?
sso|question|Did you change anything there last night?
sso|detail|The file is attached.
sso|detail|Yes, the certificate was renewed.
sso|solution|The clock of your identity provider was seven minutes slow. After your correction it works.
sso|solution|The new certificate is in place. {colleague} has tested the sign-in with us.
sso|note|Assertion not yet valid: clock skew.
leaver|title|{colleague} has left, please close the account
leaver|title|Close account and hand over files
leaver|problem|{colleague} leaves us at the end of {month}. Please close the account and give the files to me.
leaver|problem|Please deactivate the account of {colleague} today, with all devices.
leaver|question|Shall mails and links of the account go on working for some time?
leaver|detail|No, everything can be closed.
leaver|solution|The account is closed, and "{folder}" belongs to you now.
leaver|note|Approved by the administrator of the customer.
invoice|title|Invoice {invoice}: wrong amount
invoice|title|Invoice for {month} is missing
invoice|title|Please correct the address on our invoices
invoice|problem|Invoice {invoice} has {number} licences on it, but we have fewer. Please check.
invoice|problem|We have not received the invoice for {month} and need it for our books.
invoice|problem|We have moved. The invoices still have the old address; our accountant does not accept that.
invoice|question|Could you tell us since when the number is different?
invoice|question|To which address shall invoices be sent from now on?
invoice|detail|Since the beginning of {month}.
invoice|detail|To accounting, please. The new address is in the attached letter.
invoice|solution|You are right. A corrected invoice is on its way, and the difference is credited.
invoice|solution|The invoice was sent to a colleague who has left. We have changed the recipient and sent it again.
invoice|solution|The new address is in our books, and the last invoice has been sent again with it.
invoice|note|Three licences were counted twice after the change of plan.
payment|title|Reminder received though we have paid
payment|title|Our card was refused
payment|problem|We got a reminder for {invoice}, but we paid on the third. Please check.
payment|problem|The page says that our card was refused. The bank says that all is well.
payment|question|Could you send us the confirmation of the transfer?
payment|question|What are the last four digits of the card, and when does it expire?
payment|detail|It is attached.
payment|detail|It ends in 48{number}, and it was renewed in {month}.
payment|solution|The payment was booked to another customer's account. It is put right, please ignore the reminder.
payment|solution|The card had expired in our system only. Please enter it once more; no fee is charged.
payment|note|Found the payment, no reference on the transfer.
licences|title|{number} more licences, please
licences|title|Offer for {organization}
licences|problem|We are growing and need {number} more licences from the first of the month. What does that cost?
licences|problem|Could you make us an offer for {number} people, with printing included?
licences|question|Monthly or for a year? The second is cheaper.
licences|detail|For a year, please.
licences|solution|The offer is in your mailbox. It is valid for 30 days.
licences|note|Ten per cent discount agreed with the lead.
cancel|title|Ending our contract
cancel|title|Return of {printer}
cancel|problem|We would like to end the contract at the end of the year. Please confirm. How do we get our data?
cancel|problem|The site in {room} closes. Please fetch the {printer} and end its part of the contract.
cancel|question|We are sorry to hear that. May we ask for the reason?
cancel|detail|It has nothing to do with you. The office closes.
cancel|solution|The contract ends as you wish. The export of your data is ready for download for 60 days.
cancel|solution|The {printer} will be fetched in the second week of the month. Please keep the power cord with it.
cancel|note|Asked whether a smaller plan would help: no.
outage|title|Sign-in page does not load
outage|title|Nobody can sign in!
outage|title|Error {error} at sign-in
outage|problem|The sign-in page shows an error since a few minutes, for all of us in {room}.
outage|problem|We all get "{error}" when we sign in. Is there a disturbance?
outage|question|Thank you for telling us. We see it as well and are working on it; news is on our status page.
outage|detail|Thank you. Please tell us when it works again, {number} people are waiting.
outage|solution|Sign-in works again. A certificate had expired; we are sorry, and have set a watch on all of them.
outage|note|Part of the incident, answer all of them together when it is over.
any|greeting|Hello,
any|greeting|Hi,
any|greeting|Good morning,
any|greeting|Dear support team,
any|farewell|Thank you, {customer}
any|farewell|Best regards\n{customer}
any|farewell|Kind regards, {customer}
any|farewell|{customer}
any|report|The {printer} in {room} reports by itself: black toner at 1{tray} per cent.
any|received|Thank you for writing to Rookery Support. An agent will answer Monday to Friday from 8 to 18.
any|working|We see the same here and are working on it. I will tell you as soon as there is news.
any|working|Thank you for the details. I have asked a colleague who knows this best, and come back to you.
any|working|I have this on my desk now. It will take a while, but you need not do anything for the moment.
any|chase|Is there any news on this?
any|chase|We are still waiting for an answer. Could somebody have a look, please?
any|chase|Any update? {colleague} keeps asking me.
any|remind|We have not heard from you yet. Do you still need help with this?
any|remind|Just a short reminder: we need your answer to go on.
any|silence|As we have not heard from you, we take it that all is well. A reply opens the ticket again.
any|back|Unfortunately it is back: the same happens again since this morning.
any|back|It worked for a day, and now it is as before.
any|back|Thank you, but {colleague} still has the problem.
any|back|I am afraid this did not help. What else can we do?
any|again|We are sorry that it came back. We have looked again, and this time we found the real cause: it is put right.
any|again|Thank you for telling us. It is done for the second place as well; please try once more.
any|thanks|That did it, thank you!
any|thanks|Works again. Thank you for the quick help!
any|called|Called {first}: agreed on the next step, will write a summary.
any|called|{first} was not in. Left a message.
any|handover|Rather one for {team}, please take over.
any|handover|Looked at it, but this needs {team}.
any|waiting|Waiting for a part, the supplier says a few days.
any|waiting|Waiting for the platform people, they have planned it for this week.
any|louder|{first} called twice, and their boss once. Raising the priority.
any|product|Known to us. It is on the list for {version}, and there is no way around it until then.
any|product|Not known yet. Please keep the log, I will have a look with the developers.
any|answered|Solved on the phone, nothing left to do.
spam|title|CONGRATULATIONS you have been selected
spam|title|Cheap toner 70 % off today only
spam|title|Your parcel could not be delivered
spam|title|We can bring your website to page one
spam|problem|Dear sir or madam, click the link below to receive your prize within 24 hours.
spam|problem|We are the number one supplier. Answer now and get the second order for free!
spam|problem|Your account will be closed unless you confirm your password under the following address.
test|title|test
test|title|Test, please ignore
test|title|asdf
test|problem|Only a test of the mail gateway.
\.

CREATE TEMP TABLE phrases AS
SELECT p.topic, p.kind, array_agg(p.words ORDER BY p.id) AS list
FROM pg_temp.phrase AS p
GROUP BY p.topic, p.kind;
ALTER TABLE pg_temp.phrases ADD PRIMARY KEY (topic, kind);
